"""Registers the schemas with Hydra, and our words for what it refuses.

DVC imports this folder before it composes conf/; so do our own commands.
"""

from enginewright.config.refusals import tell_by_every_route
from enginewright.config.store import register

register()
tell_by_every_route()
