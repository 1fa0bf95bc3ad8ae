"""The shared code that the stages call: configuration, artifacts, graphs, engines, matching."""
