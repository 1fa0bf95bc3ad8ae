"""Helpers on ONNX graphs: reading, checking, counting, making bytes independent of the machine."""
