"""The page on variants: one HTML file that needs no other file and no network, the same for the same inputs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enginewright.pages import table
from enginewright.pages.advice import RULE, Advice, advise_all
from enginewright.pages.details import Details, Told, details_of
from enginewright.pages.differences import Comparison
from enginewright.pages.elsewhere import elsewhere
from enginewright.pages.gallery import Gallery
from enginewright.pages.graphs_table import COLUMNS as GRAPH_COLUMNS
from enginewright.pages.looks import legend
from enginewright.pages.pareto import boards
from enginewright.pages.repeats import Repeats
from enginewright.pages.sentences import card_of
from enginewright.pages.unproven import gaps_of
from enginewright.pages.variant import Variant
from enginewright.report import rows as report_rows

_HERE = Path(__file__).parent
_PARTS = (
    ("answer", "what to ship"),
    ("front", "cost against matches"),
    ("variants_table", "all variants"),
    ("unproven", "what was not run"),
    ("comparison", "two runs compared"),
    ("details", "each variant"),
)


@dataclass(frozen=True)
class Content:
    """What a page is made of.

    facts: what it says of itself. tables: a line on each table of a GPU. aside: sources that no advice is given on.
    lead: the part that stands first, where the page has it. again: the command that repeats the sweep, if it can be.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    variants: tuple[Variant, ...]
    runs: tuple[Told, ...]
    tables: tuple[str, ...]
    comparison: Comparison | None
    aside: tuple[str, ...] = ()
    lead: str = "answer"
    again: str = ""


def page(content: Content) -> str:
    """Return the page."""
    variants = table.order(list(dict.fromkeys(content.variants)))
    advice = _advice(content)
    best = {one.best for one in advice if one.best}
    links = {told.anchor: f"details-{number}" for number, told in enumerate(content.runs, start=1)}
    ids = {one: f"variant-{number}" for number, one in enumerate(variants, start=1)}
    context = {
        "title": content.title,
        "facts": content.facts,
        "parts": _parts(content),
        "cards": [card_of(one, content.again) for one in advice],
        "elsewhere": [found for one in advice for found in elsewhere(one, content.again)],
        "ids": {"": "", **links},
        "rule": RULE,
        "boards": boards(variants, ids, best),
        "legend": legend(variants),
        "recommended": bool(best),
        "words": table.ANCHORS,
        "gaps": gaps_of(variants),
        "comparison": content.comparison,
        "runs": _details(content.runs, links, advice),
        "tables": content.tables,
        **_table(variants, ids, links, best),
        **_COLUMNS,
    }
    return _rendered(context)


def _advice(content: Content) -> list[Advice]:
    """Return advice on what is the page's own; on GPU tables only where there is nothing else: they answer no sweep."""
    own = [one for one in content.variants if not one.tabled and one.source not in content.aside]
    measured = [one for one in content.variants if one.tabled]
    return advise_all(own, measured) if own else advise_all(measured)


def _parts(content: Content) -> list[tuple[str, str]]:
    found = [part for part in _PARTS if part[0] != "comparison" or content.comparison]
    return sorted(found, key=lambda part: part[0] != content.lead)


_COLUMNS = {
    "graph_columns": GRAPH_COLUMNS,
    "match_columns": report_rows.MATCH_COLUMNS,
    "compare_columns": report_rows.COMPARE_COLUMNS,
}


def _table(
    variants: Sequence[Variant], ids: Mapping[Variant, str], links: Mapping[str, str], best: Collection[Variant]
) -> dict[str, Any]:
    columns = table.columns_for(variants)
    return {
        "columns": columns,
        "rows": table.rows_of(variants, columns, ids, links, best),
        "filters": table.filters_for(variants),
        "glossary": table.GLOSSARY,
    }


def _details(runs: Sequence[Told], links: Mapping[str, str], advice: Sequence[Advice]) -> list[Details]:
    """Return the details of all runs. The recommended ones have their pictures first, should there be too many."""
    chosen = {one.anchor for found in advice for one in (found.best, found.baseline) if one}
    gallery, repeats, found = Gallery(), Repeats(), {}
    for told in sorted(runs, key=lambda told: told.anchor not in chosen):
        found[told.anchor] = details_of(told, links[told.anchor], gallery, repeats)
    return [found[told.anchor] for told in runs]


def _rendered(context: Mapping[str, Any]) -> str:
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_HERE, _HERE.parent / "report"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sheets = ("page.css.j2", "variants.css.j2")
    style = "\n".join(environment.get_template(sheet).render() for sheet in sheets)
    script = (_HERE / "variants.js").read_text(encoding="utf-8")
    code = {"style": Markup(style), "script": Markup(script), "policy": _policy(style, script)}  # noqa: S704 (our own)
    return environment.get_template("variants.html.j2").render(**context, **code)


def _policy(style: str, script: str) -> str:
    """Return the content security policy: this style, this script and embedded pictures, and nothing else whatever."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    sheet, code = (f"'sha256-{one}'" for one in hashes)
    return (
        f"default-src 'none'; img-src data:; style-src {sheet}; script-src {code}; base-uri 'none'; form-action 'none'"
    )
