from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from enginewright.errors import DataError
from enginewright.report.page import page
from tests.report.sample import NOT_RUN, metrics, written

_VOID = {"meta", "img", "br", "link", "input"}


class Reader(HTMLParser):
    """Checks that tags nest, and gathers what tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.states: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        classes = (self.tags[-1][1].get("class") or "").split() if self.tags else []
        if "state" in classes and data.strip() and self.open[-1] == "span":
            self.states.append((classes[1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    plots = tmp_path / "plots"
    (plots / "disk_lightglue" / "matches").mkdir(parents=True)
    Image.new("RGB", (40, 30), "red").save(plots / "disk_lightglue" / "matches" / "motorcycle.png")
    return written(tmp_path / "metrics", metrics()), plots


@pytest.fixture
def html(folders: tuple[Path, Path]) -> str:
    return page(*folders)


def test_page_is_well_formed(html: str) -> None:
    assert Reader(html).open == []
    assert html.startswith("<!doctype html>")


def test_page_needs_nothing_beside_it(html: str) -> None:
    """No address but data and links within the page, no script; a browser is told to load nothing either."""
    reader = Reader(html)
    addresses = [value for _, attributes in reader.tags for key, value in attributes.items() if key in ("src", "href")]
    assert addresses
    assert all(address is not None and address.startswith(("data:image/", "#")) for address in addresses)
    assert not reader.all("script")
    assert not reader.all("link")
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_links_within_the_page_lead_somewhere(html: str) -> None:
    reader = Reader(html)
    targets = {attributes.get("id") for _, attributes in reader.tags}
    assert all((link["href"] or "")[1:] in targets for link in reader.all("a"))


def test_tables_have_captions_and_every_heading_cell_a_scope(html: str) -> None:
    reader = Reader(html)
    assert len(reader.all("table")) == len(reader.all("caption")) == 6
    assert all(cell.get("scope") in ("col", "row") for cell in reader.all("th"))
    assert all(image.get("alt") for image in reader.all("img"))
    assert reader.all("html")[0]["lang"] == "en"


def test_not_run_is_said_in_words_and_looks_unlike_passed(html: str) -> None:
    states = set(Reader(html).states)
    assert ("not_run", "not run") in states
    assert ("passed", "passed") in states
    assert not any(kind == "passed" and text == "not run" for kind, text in states)
    colours = dict(re.findall(r"\.(passed|failed|not_run)[^{}]*\{[^}]*color: var\((--[a-z-]+)\)", html))
    assert len(set(colours.values())) == 3


def test_reasons_are_given(html: str) -> None:
    assert NOT_RUN in html
    assert "no NVIDIA GPU with a driver" in html


def test_light_and_dark_define_the_same_colours(html: str) -> None:
    light, dark = re.findall(r":root \{([^}]*)\}", html)
    assert re.findall(r"--[a-z-]+(?=:)", light) == re.findall(r"--[a-z-]+(?=:)", dark)
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, by the Web Content Accessibility Guidelines."""

    def luminance(colour: str) -> float:
        channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(
    ("text", "paper"),
    [
        ("ink", "paper"),
        ("quiet", "paper"),
        ("quiet", "soft"),
        ("link", "paper"),
        ("passed", "paper"),
        ("failed", "failed-paper"),
        ("not-run", "not-run-paper"),
    ],
)
def test_text_is_readable_on_its_paper(html: str, scheme: int, text: str, paper: str) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", re.findall(r":root \{([^}]*)\}", html)[scheme]))
    assert contrast(colours[text], colours[paper]) >= 4.5


def test_pictures_are_in_the_section_of_their_network(html: str) -> None:
    section = html[html.index('id="disk_lightglue"') :]
    assert 'alt="disk_lightglue, matches: motorcycle"' in section
    assert html.count("<img") == 1


def test_text_from_metrics_cannot_become_markup(folders: tuple[Path, Path]) -> None:
    values = metrics()
    values["disk"]["compare"] |= {"verdict": "failed", "reason": '<script>alert(1)</script> & "more"'}
    html = page(written(folders[0], values), folders[1])
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; " in html


def test_same_files_give_the_same_page(folders: tuple[Path, Path], html: str) -> None:
    assert page(*folders) == html


def test_no_metrics_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no metrics"):
        page(tmp_path, tmp_path)
