"""Variants of networks on a GPU: built anywhere, run by ONNX Runtime's CUDA provider, and one table of it all."""
