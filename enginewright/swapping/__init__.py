"""Exchanging LayerNorm and proving that nothing else changed; making the reference on the way."""
