"""Signatures of statements: DSSE envelopes by Ed25519 keys, which stay outside the repository."""
