"""The published checkpoint of a network: fetched, proven by its digest, read without running code, fitted, stored."""
