"""An ONNX file in the place of a torch module: read safely, described, run as it is, and brought to the form asked."""
