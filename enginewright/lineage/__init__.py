"""What several commands ask of a pipeline and its repository: the order of stages, paths, commits, nested values."""
