"""A real browser for tests of pages: Chromium, if this machine has one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is missing: apt-get install chromium, or CHROMIUM=PATH of one"
)
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What keeps a browser in a test from asking its maker's hosts for anything."""


@dataclass
class Visit:
    """A page that was opened, what it asked for, and what its console said."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def js(self, expression: str) -> Any:
        """Return the value of an expression on the page."""
        return self.page.evaluate(expression)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all visible elements."""
        found = self.page.locator(selector).all()
        return [(one.text_content() or "").strip() for one in found if one.is_visible()]


@contextmanager
def browser() -> Iterator[Browser]:
    """Give a browser that ends with the test."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield opened
        finally:
            opened.close()


def visit(opened: Browser, path: Path, **options: Any) -> Visit:
    """Open a file as a user does, by its address on disk. options: of the browser's context."""
    page = opened.new_context(**options).new_page()
    page.set_default_timeout(5000)
    found = Visit(page)
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.goto(path.as_uri())
    return found
