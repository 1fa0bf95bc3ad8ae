"""What the pipeline's graphs are worth beside what exporters and simplifiers give by themselves, without a GPU."""
