"""The contract of a network's graph: what goes in, what comes out, how outputs are compared. No torch here."""

from enginewright.contract.contract import Contract, Kind, Port, Rule

__all__ = ["Contract", "Kind", "Port", "Rule"]
