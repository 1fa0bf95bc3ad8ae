"""Latency of matchers on a GPU, beside torch's and beside the floor, with the matches that each keeps."""
