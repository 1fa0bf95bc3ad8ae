"""Pictures of many variants on one page: each is embedded once, until the page is large enough."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from enginewright.pages.run import Run
from enginewright.report.pictures import Picture, picture_from

MOST_BYTES = 3_500_000
"""Of pictures on a page, as they stand in it."""


@dataclass(frozen=True)
class Shown:
    """A picture at its place. picture: None where it stands elsewhere on the page or not on it. note: where, or why.

    link: the id of the same picture, empty where it is not on the page.
    """

    id: str
    title: str
    alt: str
    picture: Picture | None
    note: str = ""
    link: str = ""


@dataclass
class Gallery:
    """Embeds pictures. spent: bytes so far. placed: ids of embedded pictures by digest."""

    spent: int = 0
    placed: dict[str, tuple[str, str]] = field(default_factory=dict)

    def show(self, run: Run, network: str) -> list[Shown]:
        """Return the pictures of a network of a run."""
        found = []
        for path in run.pictures(network):
            data = run.files.read(path)
            if data is not None:
                found.append(self._shown(run, network, path, data))
        return found

    def _shown(self, run: Run, network: str, path: str, data: bytes) -> Shown:
        pair = path.rpartition("/")[2].removesuffix(".png").replace("_", " ")
        title = f"{pair}, {network}, {run.name}"
        digest = hashlib.sha256(data).hexdigest()
        id_ = f"picture-{digest[:16]}"
        if digest in self.placed:
            first, link = self.placed[digest]
            return Shown("", title, "", None, f"the same picture as of {first}", link)
        picture = picture_from(data, title, path)
        if self.spent + len(picture.uri) > MOST_BYTES:
            return Shown("", title, "", None, "left out, so that the page stays small; the variant has it in plots/")
        self.spent += len(picture.uri)
        self.placed[digest] = (run.name, id_)
        return Shown(id_, title, _alt(run, network, pair), picture)


def _alt(run: Run, network: str, pair: str) -> str:
    """Return what the picture shows, with the counts of its network: a line for each match of both images."""
    match = run.metrics[network].get("match", {})
    original = match.get("original", {}).get("matches")
    told = f"Over all pairs the original finds {original:,} matches." if isinstance(original, int) else ""
    return (
        f"Pair {pair}: both images side by side, with a line for each match; above by the original {network}, below by "
        f"what {run.name} made of it. {told}"
    ).strip()
