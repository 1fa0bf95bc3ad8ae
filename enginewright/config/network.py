"""One network's whole configuration: what `networks.<name>` holds in params.yaml, section by section."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from enginewright.config.models import ModelConfig
from enginewright.config.sections import (
    BuildConfig,
    CastConfig,
    CheckpointConfig,
    CompareConfig,
    DataConfig,
    ExportConfig,
    MatchConfig,
    SimplifyConfig,
    SwapConfig,
)
from enginewright.errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class NetworkConfig:
    """The sections of one network, and whose features feed it.

    extractor: the network whose keypoints and descriptors a matcher takes; any other network names itself.
    extractor_adapter: that network's adapter, so that dvc.yaml can name its file.
    """

    extractor: str
    extractor_adapter: str
    model: ModelConfig
    checkpoint: CheckpointConfig
    data: DataConfig = field(default_factory=DataConfig)
    swap: SwapConfig = field(default_factory=SwapConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    simplify: SimplifyConfig = field(default_factory=SimplifyConfig)
    cast: CastConfig = field(default_factory=CastConfig)
    compare: CompareConfig = field(default_factory=CompareConfig)
    build: BuildConfig = field(default_factory=BuildConfig)
    match: MatchConfig = field(default_factory=MatchConfig)


AXES: dict[str, tuple[str, type]] = {
    "data": ("data", DataConfig),
    "layernorm": ("swap", SwapConfig),
    "export": ("export", ExportConfig),
    "simplify": ("simplify", SimplifyConfig),
    "precision": ("cast", CastConfig),
    "compare": ("compare", CompareConfig),
    "builder": ("build", BuildConfig),
    "match": ("match", MatchConfig),
}
"""For each axis of conf/: the section that it fills in every network, and that section's dataclass."""

SECTIONS: dict[str, type] = {"checkpoint": CheckpointConfig} | dict(AXES.values())
"""The dataclass of each section but `model`, which depends on the adapter."""


def check_name(name: str) -> None:
    """Refuse a network name that is no plain word: names reach paths and command lines.

    Raises:
        ConfigError: if it is not lower-case letters, digits and underscores, starting with a letter.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "a network has an unusable name",
            expected="lower-case letters, digits and _, a letter first",
            got=name,
            cure=f"rename conf/network/{name}.yaml and its package",
        )
