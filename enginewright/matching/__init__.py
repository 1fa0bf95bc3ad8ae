"""Matching: keypoints and pairs in the form that a matcher's graph takes, and what is measured on its answer."""
