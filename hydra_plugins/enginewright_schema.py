"""Registers the schemas with Hydra, and our words for what it refuses; closes the folders that DVC unpickles from.

DVC imports this folder before it composes conf/; so do our own commands.
"""

from pathlib import Path

from enginewright.config.refusals import tell_by_every_route
from enginewright.config.store import register
from enginewright.private_folders import keep_private
from enginewright.quiet import be_quiet

be_quiet()
keep_private(Path(__file__).resolve().parents[1])
register()
tell_by_every_route()
