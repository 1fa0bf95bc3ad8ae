from __future__ import annotations

from pathlib import Path

from enginewright.engine.failure import reason_from

PARSER = """\
[E] ModelImporter.cpp:140: While parsing node number 5 [NonZero -> "nz"]:
[E] ModelImporter.cpp:142: --- Begin node ---
    Node name: peaks
[E] In node 5 with name: peaks and operator: NonZero (importNonZero): UNSUPPORTED_NODE: Assertion failed: creator
    : NonZero plugin creator was not found.
[E] In node 7 with name:  and operator: TopK (importTopK): INVALID_NODE: K exceeds 3840
[!] Could not parse ONNX correctly
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "builder.log"
    path.write_text(text)
    return path


def test_nodes_that_the_parser_names_are_the_reason(tmp_path: Path) -> None:
    assert reason_from(written(tmp_path, PARSER)) == (
        "node 5 (NonZero peaks): UNSUPPORTED_NODE: Assertion failed: creator : NonZero plugin creator was not found.; "
        "node 7 (TopK without a name): INVALID_NODE: K exceeds 3840"
    )


def test_otherwise_all_errors_are(tmp_path: Path) -> None:
    text = "[E] first\n    goes on\n[E] first\n    goes on\n[!] Invalid Engine\n"
    assert reason_from(written(tmp_path, text)) == "first goes on; Invalid Engine"


def test_only_the_last_errors_of_a_long_log(tmp_path: Path) -> None:
    text = "".join(f"[E] error {index}\n" for index in range(100))
    assert reason_from(written(tmp_path, text)).split("; ") == [f"error {index}" for index in range(94, 100)]


def test_what_rtx_logs_in_every_build_is_no_reason(tmp_path: Path) -> None:
    text = "[E] Thread context has not been set! Using global log stream.\n[E] no memory\n"
    assert reason_from(written(tmp_path, text)) == "no memory"


def test_no_log_is_no_reason(tmp_path: Path) -> None:
    assert reason_from(tmp_path / "missing.log") == ""
    assert reason_from(written(tmp_path, "")) == ""


def test_bytes_that_are_no_text_do_not_hide_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "builder.log"
    path.write_bytes(b"[E] bad \xff name\n")
    assert reason_from(path).startswith("bad ")
