"""Registers the schemas with Hydra. DVC imports this folder before it composes conf/; so do our own commands."""

from enginewright.config.store import register

register()
