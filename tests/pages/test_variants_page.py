from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from enginewright.errors import DataError, RequirementError
from enginewright.pages import __main__ as command
from enginewright.pages.gather import gather
from enginewright.pages.page import Content, page
from tests.pages.sample import HOSTILE, Repository, entry, gpu_row, params, run_files, swept_repository, write_table
from tests.report.test_page import Reader

pytestmark = pytest.mark.xdist_group("pages")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return swept_repository(tmp_path_factory.mktemp("swept") / "repository")


@pytest.fixture(scope="module")
def content(repository: Repository) -> Content:
    return gather(repository.path, "example", "native-fp32", "native-fp16")


@pytest.fixture(scope="module")
def html(content: Content) -> str:
    return page(content)


def body(html: str) -> str:
    """Return the page without its script, which holds signs that look like tags."""
    return re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)


def test_page_is_well_formed(html: str) -> None:
    text = re.sub(r"<([a-z]+)([^<>]*)/>", r"<\1\2></\1>", body(html))  # SVG closes its tags at once
    assert Reader(text).open == []


def test_page_needs_nothing_beside_it(html: str) -> None:
    reader = Reader(re.sub(r"<([a-z]+)([^<>]*)/>", r"<\1\2></\1>", body(html)))
    addresses = [value for _, attributes in reader.tags for key, value in attributes.items() if key in ("src", "href")]
    assert all(address is not None and address.startswith(("data:image/", "#")) for address in addresses)
    assert "url(" not in html
    assert "@import" not in html


def test_links_within_the_page_lead_somewhere_and_ids_are_unique(html: str) -> None:
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_headings_are_in_order(html: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(two - one <= 1 for one, two in pairwise(levels))


def test_nothing_may_be_loaded_and_no_other_script_may_run(html: str) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy.replace("&#39;", "'").startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert " style=" not in html, "the policy forbids it"
    assert not re.search(r" on[a-z]+=\"", body(html).replace("&#34;", ""))


def test_hostile_text_stays_text(html: str) -> None:
    assert HOSTILE not in html
    assert "<img src=x" not in html
    assert html.count("</script>") == 1
    assert "&lt;/script&gt;&lt;img src=x onerror=" in html


def test_the_answer_is_the_proven_variant_and_not_the_small_unproven_one(html: str) -> None:
    answer = html[html.index('<section id="answer">') : html.index('<section id="front">')]
    (sweep,) = re.findall(r'<p class="headline">(.*?)</p>', answer, flags=re.DOTALL)
    assert sweep.startswith("Run it on a GPU, then ship: <strong>")
    assert "native-fp32" in sweep or "scaled-fp32" in sweep
    assert "The answer of this sweep: disk_lightglue with disk" in answer
    assert "Not proven of it" in answer
    assert "dvc exp apply native-fp32\nREQUIRE_GPU=1 dvc repro" in answer
    assert "0 of 1,351" in answer


def test_a_gpu_table_is_evidence_from_elsewhere_beside_the_one_answer(html: str) -> None:
    aside = html[html.index('<aside class="elsewhere"') : html.index("</aside>")]
    assert "NVIDIA Example: pairs and image size not recorded" in aside
    assert "Its best is native-fp16: 3.20 ms" in aside
    assert "That is fp16 with LayerNorm native: native-fp16 above, only rehearsed here." in aside
    assert "dvc exp apply native-fp16" in aside


def test_words_of_the_legend_lead_to_what_they_mean(html: str) -> None:
    (anchor,) = re.findall(r'<a href="#(word-\d+)">only rehearsed, not proven</a>', html)
    assert f'<dt id="{anchor}">rehearsed</dt>' in html


def test_every_variant_is_a_row_with_its_state_and_reason(html: str) -> None:
    rows = re.findall(r'<tr id="variant-\d+".*?</tr>', html, flags=re.DOTALL)
    assert len(rows) == 9
    states = {re.findall(r'data-state="([^"]*)"', row)[0] for row in rows}
    assert states == {"done", "cached", "failed", "refused", "not run"}
    (refused,) = (row for row in rows if "native-fp8" in row)
    assert "fp8 needs compute capability 8.9" in refused


def test_what_was_not_run_is_told_with_its_reason(html: str) -> None:
    gaps = html[html.index('<section id="unproven">') : html.index('<section id="comparison">')]
    assert "interrupted" in gaps
    assert "fp8 needs compute capability 8.9" in gaps
    assert "no NVIDIA GPU with a driver" in gaps


def test_two_runs_are_compared(html: str) -> None:
    comparison = html[html.index('<section id="comparison">') : html.index('<section id="details">')]
    assert "cast.precision" in comparison
    assert "native-fp32 against native-fp16" in comparison


def test_pictures_are_embedded_once_and_say_what_they_show(html: str) -> None:
    assert html.count("<img ") == 1
    assert 'alt="Pair motorcycle: both images side by side' in html
    assert html.count("the same picture as of") == 2


def test_same_files_give_the_same_page(repository: Repository, html: str) -> None:
    assert page(gather(repository.path, "example", "native-fp32", "native-fp16")) == html


def test_the_newest_sweep_is_taken_beside_the_checkout(repository: Repository) -> None:
    repository.check_out(run_files())
    found = gather(repository.path, "", "", "")
    assert found.title == "Sweep example"
    assert {one.source for one in found.variants} == {"sweep", "this checkout", "NVIDIA Example"}
    assert found.aside == ("this checkout",)


def test_a_checkout_alone_is_a_page(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit(params(), run_files())
    repository.check_out(run_files())
    found = gather(tmp_path, "", "", "")
    assert (found.title, found.aside) == ("The last run", ())
    assert "this checkout" in page(found)


def test_one_revision_is_compared_with_the_checkout(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit(params("fp16"), run_files("fp16"), "half")
    repository.commit(params(), run_files())
    repository.check_out(run_files())
    repository.sweep("newer", entry("one", "pending"))
    found = gather(tmp_path, "", "half", "")
    assert found.comparison is not None
    assert (found.comparison.base, found.comparison.revision) == ("half", "workspace")
    assert found.title == "half against workspace"
    assert [name for name, _ in found.facts] == ["half", "workspace"]
    assert found.facts[0][1] == repository.git("rev-parse", "--short=10", "refs/exps/ab/" + "c" * 38 + "/half")
    html = page(found)
    assert "cast.precision" in html
    assert [(one.name, one.source) for one in found.variants] == [("half", "compared"), ("workspace", "compared")]
    assert html.index('<section id="comparison">') < html.index('<section id="answer">')


def test_gpu_tables_alone_are_a_page(tmp_path: Path) -> None:
    Repository(tmp_path).commit(params(), {})
    write_table(tmp_path / "benchmarks" / "gpu", gpu_row("native", "fp16"))
    found = gather(tmp_path, "", "", "")
    assert [one.source for one in found.variants] == ["NVIDIA Example"]
    assert "native-fp16" in page(found)


def test_nothing_to_show_is_an_error(tmp_path: Path) -> None:
    Repository(tmp_path).commit(params(), {})
    with pytest.raises(DataError, match="there is nothing to report"):
        gather(tmp_path, "", "", "")


def test_a_revision_whose_metrics_are_not_here_is_named(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    commit = repository.commit(params(), run_files(), "gone")
    for path in repository.cache.rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(DataError, match="gone has no metrics here: metrics/disk/"):
        gather(tmp_path, "", "gone", commit)


def test_the_command_writes_a_file_named_after_its_title(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command.main(["--repository", str(repository.path), "--sweep", "example"])
    assert (tmp_path / "report" / "sweep-example.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out.startswith("report/sweep-example.html (")


def test_a_missing_renderer_is_named_before_anything_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(RequirementError, match="plots cannot be drawn"):
        command.main(["--repository", str(tmp_path)])
