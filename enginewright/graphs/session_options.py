"""The options that all sessions of ONNX Runtime have in which stages compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enginewright.waiting import turns_while_waiting

if TYPE_CHECKING:
    import onnxruntime


def session_options() -> onnxruntime.SessionOptions:
    """Return options of a session whose threads sleep between operators, as torch's do (`enginewright.waiting`)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(turns_while_waiting())))
    return options
