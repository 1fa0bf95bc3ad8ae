"""One graph from two: an extractor and its matcher, images in and matches out."""
