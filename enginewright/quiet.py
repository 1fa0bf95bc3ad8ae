"""Nothing that this project starts tells anybody that it was started: what libraries would send is switched off."""

from __future__ import annotations

import os
from typing import Final

SETTINGS: Final = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TRANSFORMERS_OFFLINE": "1",
}
"""Environment variables. Hydra, torch, onnx, onnxscript, ONNX Runtime on Linux, Polygraphy, TensorRT and ModelOpt send
nothing. Of Hugging Face only classes are used; weights come from the checkpoint stage, with a digest.
"""


def be_quiet() -> None:
    """Set the variables for this process and all that it starts."""
    os.environ.update(SETTINGS)
