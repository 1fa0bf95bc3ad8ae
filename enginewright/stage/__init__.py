"""How a stage is entered: by DVC, with its paths, or by hand, with Hydra overrides."""

from enginewright.stage.entry import enter
from enginewright.stage.stage import Stage

__all__ = ["Stage", "enter"]
