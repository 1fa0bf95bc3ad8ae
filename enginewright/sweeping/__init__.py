"""Sweeps: many variants of the pipeline, every shared step built once, on one machine or on many.

The driver composes and plans every variant before anything runs (`planner`), which gives the distinct steps: stages of
dvc.yaml, each with a key over all that its result depends on. Workers, each in a clone of its own, run one step at a
time through DVC (`worker`, `bench`). Where they live is an engine's business (`engines/`). What a step gave is an entry
of dvc.lock and is kept by its key (`ledger`), so an interrupted sweep goes on where it was. A variant whose steps are
all there becomes a DVC experiment (`experiments`).
"""
