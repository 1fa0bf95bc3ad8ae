"""The configuration: one set of frozen dataclasses, used by Hydra while it composes and by stages that load."""
