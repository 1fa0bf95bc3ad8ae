"""The stages of the pipeline, one file each; dvc.yaml is their table of contents.

A stage that DVC runs is handed over here, before its own imports: those of others' packages are shared.
"""

from enginewright.warm.early import hand_over_early

hand_over_early()
