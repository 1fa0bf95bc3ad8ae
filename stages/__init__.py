"""The stages of the pipeline, one file each; dvc.yaml is their table of contents."""
