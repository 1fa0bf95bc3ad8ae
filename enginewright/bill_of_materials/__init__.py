"""A software bill of materials of requirements.lock, in CycloneDX: what runs here, by version and licence."""
