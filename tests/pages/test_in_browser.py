"""The page in a real browser: what a person does with it, by mouse, by keyboard and by screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from enginewright.pages.gather import gather
from enginewright.pages.page import page
from enginewright.report.page import page as report_page
from tests.pages.browser import Visit, browser, needs_browser, visit
from tests.pages.sample import HOSTILE, swept_repository
from tests.report.sample import metrics, written

pytestmark = [needs_browser, pytest.mark.xdist_group("browser")]
PHONE = {"viewport": {"width": 360, "height": 740}}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    repository = swept_repository(folder / "repository")
    file = folder / "a sweep's page.html"
    file.write_text(page(gather(repository.path, "example", "native-fp32", "native-fp16")))
    return file


@pytest.fixture(scope="module")
def stage_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stage")
    file = folder / "index.html"
    file.write_text(report_page(written(folder / "metrics", metrics()), folder / "plots"))
    return file


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def here(opened: Browser, path: Path) -> Iterator[Visit]:
    found = visit(opened, path)
    yield found
    found.page.context.close()


def names(here: Visit) -> list[str]:
    return [name.removesuffix(" (recommended)") for name in here.texts("#variants tbody th")]


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(here: Visit, path: Path) -> None:
    here.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    here.page.wait_for_timeout(100)
    assert [url for url in here.requests if not url.startswith("data:")] == [path.as_uri()]
    assert here.complaints == []


def test_no_hostile_text_became_markup_or_ran(here: Visit) -> None:
    assert here.js("[...document.images].every((one) => one.src.startsWith('data:image/'))")
    assert here.js("document.scripts.length") == 1
    here.page.locator("#variants tbody details summary").first.wait_for()
    assert HOSTILE in (here.page.locator("#variants tbody").text_content() or "")


def test_what_an_attacker_adds_is_stopped_by_the_policy(opened: Browser, path: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(path.read_text().replace("</main>", "<script>document.title='run'</script><img src='x.png'></main>"))
    found = visit(opened, bad)
    assert found.page.title() != "run"
    assert len(found.complaints) == 2
    assert all("Content Security Policy" in one for one in found.complaints)


def test_all_pictures_are_shown(here: Visit) -> None:
    here.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    here.js("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager'; })")
    here.page.wait_for_function("[...document.images].every((one) => one.complete)")
    assert here.js("[...document.images].map((one) => one.naturalWidth)") == [40]


def test_a_click_on_a_head_sorts_and_another_turns_it_round(here: Visit) -> None:
    head = here.page.locator("th", has_text="Matches lost")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    up = [int(text.replace(",", "")) for text in here.texts("#variants td.number:nth-of-type(6)") if text != "—"]
    assert up == sorted(up)
    assert len(set(up)) > 2
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    down = here.texts("#variants td.number:nth-of-type(6)")
    assert [int(text.replace(",", "")) for text in down if text != "—"] == up[::-1]
    assert set(down[-2:]) == {"—"}, "what has no value stays last"


def test_sorting_by_keyboard_is_told_aloud(here: Visit) -> None:
    here.page.locator("th", has_text="Precision").locator("button").focus()
    here.page.keyboard.press("Enter")
    assert here.page.locator("#told").text_content() == "sorted by Precision, ascending"
    assert here.js("document.querySelectorAll('th[aria-sort=ascending]').length") == 1
    here.page.keyboard.press("Space")
    assert here.page.locator("#told").text_content() == "sorted by Precision, descending"


def test_filters_hide_rows_and_dim_their_points(here: Visit) -> None:
    here.page.get_by_label("precision").select_option("fp16")
    assert set(names(here)) == {"native-fp16", "decomposed-fp16"}
    assert here.page.locator("#shown").text_content() == "4 of 9 shown"
    points = here.page.locator(".wide .point:not(.dim)").all()
    assert points
    assert all("fp16" in (point.get_attribute("aria-label") or "") for point in points)
    here.page.get_by_label("text").fill("alert")
    assert set(names(here)) == {"decomposed-fp16"}
    here.page.get_by_role("button", name="show all").click()
    here.page.wait_for_function("document.querySelector('#shown').textContent === '9 of 9 shown'")


def test_a_filter_that_nothing_fits_says_so(here: Visit) -> None:
    here.page.get_by_label("text").fill("no such thing")
    assert names(here) == []
    assert here.page.locator("#shown").text_content() == "0 of 9 shown"


def test_one_plot_of_a_board_is_shown_and_the_cost_can_be_chosen(here: Visit) -> None:
    board = here.page.locator(".board").first
    assert len([one for one in board.locator(".plot").all() if one.is_visible()]) == 1
    board.get_by_role("radio", name="Typed graph, MB").check()
    (shown,) = (one for one in board.locator(".plot").all() if one.is_visible())
    assert shown.get_attribute("data-cost") == "graph"


def test_points_are_reached_by_keyboard_and_lead_to_their_rows(here: Visit) -> None:
    here.page.locator(".wide .point[tabindex='0']").first.focus()
    first = here.js("document.activeElement.getAttribute('aria-label')")
    assert first in (here.page.locator(".tip").text_content() or "")
    here.page.keyboard.press("ArrowRight")
    second = here.js("document.activeElement.getAttribute('aria-label')")
    row = here.js("document.activeElement.dataset.row")
    assert first != second
    here.page.keyboard.press("ArrowLeft")
    assert here.js("document.activeElement.getAttribute('aria-label')") == first
    here.page.keyboard.press("ArrowRight")
    here.page.keyboard.press("Enter")
    assert here.js("document.activeElement.closest('tr').id") == row


def test_a_point_tells_what_it_is_to_the_mouse(here: Visit) -> None:
    here.page.locator(".plot:not([hidden]) .wide .point[data-row='variant-2']").first.hover()
    told = (here.page.locator(".tip").text_content() or "").splitlines()
    assert [line.partition(",")[0] for line in told] == ["native-fp32", "scaled-fp32"], "one lies on the other"
    here.page.mouse.move(0, 0)
    assert not here.page.locator(".tip").is_visible()


def test_a_link_to_a_variant_opens_its_details(here: Visit) -> None:
    here.page.locator("#variants tbody th a").first.click()
    here.page.wait_for_function("document.querySelector('details.run[open]') !== null")
    assert here.js("location.hash === '#' + document.querySelector('details.run[open]').id")


@pytest.mark.parametrize("file", ["path", "stage_path"])
def test_dark_and_light_follow_the_system_and_the_switch(
    opened: Browser, file: str, request: pytest.FixtureRequest
) -> None:
    page_file: Path = request.getfixturevalue(file)
    light, dark = (visit(opened, page_file, color_scheme=scheme) for scheme in ("light", "dark"))
    paper = "getComputedStyle(document.body).backgroundColor"
    assert light.js(paper) == "rgb(255, 255, 255)"
    assert dark.js(paper) == "rgb(22, 25, 29)"
    assert light.page.screenshot() != dark.page.screenshot()
    dark.page.get_by_role("radio", name="light", exact=True).check()
    assert dark.js(paper) == "rgb(255, 255, 255)"
    light.page.get_by_role("radio", name="dark", exact=True).check()
    assert light.js(paper) == "rgb(22, 25, 29)"


def test_the_chosen_colours_are_kept(here: Visit) -> None:
    here.page.get_by_role("radio", name="dark", exact=True).check()
    here.page.reload()
    assert here.page.get_by_role("radio", name="dark", exact=True).is_checked()


@pytest.mark.parametrize("file", ["path", "stage_path"])
def test_a_phone_needs_no_sideways_scrolling(opened: Browser, file: str, request: pytest.FixtureRequest) -> None:
    found = visit(opened, request.getfixturevalue(file), **PHONE)
    found.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert found.js("document.documentElement.scrollWidth") <= 360


def test_a_phone_gets_plots_that_it_can_read(opened: Browser, path: Path) -> None:
    found = visit(opened, path, **PHONE)
    (chart, *_) = (one for one in found.page.locator("#front .chart").all() if one.is_visible())
    assert "narrow" in (chart.get_attribute("class") or "")
    size = found.js("parseFloat(getComputedStyle(document.querySelector('.narrow text')).fontSize)")
    box = chart.bounding_box()
    drawn = found.js("document.querySelector('#front .plot:not([hidden]) .narrow').viewBox.baseVal.width")
    assert box is not None
    assert size * box["width"] / drawn >= 9


@pytest.mark.parametrize("file", ["path", "stage_path"])
@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
def test_axe_finds_nothing(
    opened: Browser, file: str, scheme: str, rules: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    """All rules in light colours; in dark ones nothing else is another than the contrast."""
    found = visit(opened, request.getfixturevalue(file), color_scheme=scheme, bypass_csp=True)
    found.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    options = {"runOnly": list(rules)} if rules else {}
    result = Axe().run(found.page, options=options).response
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in result["violations"]] == []
    expected = rules or ("color-contrast", "heading-order", "region", "scope-attr-valid", "label")
    assert set(expected) <= {one["id"] for one in result["passes"]}


def test_everything_is_there_without_a_script(opened: Browser, path: Path) -> None:
    found = visit(opened, path, java_script_enabled=False)
    rows = found.page.locator("#variants tbody tr")
    assert rows.count() == 9
    assert not found.page.locator("#filters").is_visible()
    assert found.page.locator("#front .plot").last.is_visible()
