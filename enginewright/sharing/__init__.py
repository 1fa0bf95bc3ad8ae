"""One place that all clones share artifacts, metrics and finished runs through: a folder or an S3 bucket."""
