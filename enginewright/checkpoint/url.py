"""A file at an http(s) address."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

from enginewright.artifacts import sha256_of, write_atomically
from enginewright.checkpoint.cache import MAX_BYTES, locked
from enginewright.checkpoint.digest import require_digest
from enginewright.config import check
from enginewright.config.check import without_secrets
from enginewright.errors import CheckpointError
from enginewright.progress import progress

_CHUNK = 1 << 18
_SCHEMES = ("http", "https")


def fetch_url(url: str, sha256: str, cache: Path, timeout_s: float, limit: int = MAX_BYTES) -> Path:
    """Return the file whose bytes have `sha256`, downloading it from `url` unless `cache` has it.

    The file lies in `cache/files/` under its digest, which is proven again at each use; bytes with another digest
    never get that name. `timeout_s` bounds the wait for the connection and for each next byte, in seconds; `limit`
    is the largest size in bytes.

    Raises:
        CheckpointError: for other schemes, HTTP errors, redirects from https to anything else, a stalled, truncated
            or too large body, and a wrong digest.
    """
    check.digest("checkpoint.sha256", sha256)
    _require_scheme(url)
    path = cache / "files" / sha256
    if not _holds(path, sha256):
        with locked(path):
            if not _holds(path, sha256):  # another stage may have had the lock, and downloaded it
                write_atomically(path, lambda temporary: _download(url, sha256, temporary, timeout_s, limit))
    return path


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _download(url: str, sha256: str, path: Path, timeout_s: float, limit: int) -> None:
    """Write what `url` serves to `path`, and refuse it unless it is whole and has the digest."""
    request = urllib.request.Request(url, headers={"User-Agent": "enginewright"})  # noqa: S310 (scheme was checked)
    opener = urllib.request.build_opener(_Redirects)
    try:
        with opener.open(request, timeout=timeout_s) as response, path.open("wb") as file:
            _copy(response, file, url, limit)
    except urllib.error.HTTPError as error:
        _refuse(url, "a file", f"HTTP {error.code} {error.reason}", "check checkpoint.url", error)
    except (TimeoutError, urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            _refuse(url, f"data within {timeout_s:g} s", "no answer", "run again, or raise checkpoint.timeout_s", error)
        _refuse(url, "a file", f"{type(reason).__name__}: {reason}", "check checkpoint.url and the network", error)
    require_digest(sha256_of(path), sha256, _bare(url), "check checkpoint.url")


def _copy(response: HTTPResponse, file: IO[bytes], url: str, limit: int) -> None:
    """Copy the body, comparing its size with what the server announced and with `limit`, in bytes."""
    announced = response.length
    done = 0
    total = None if announced is None else _megabytes(announced)
    with progress(f"downloading {_bare(url)}", total, "MB") as tick:
        while done <= limit >= (announced or 0) and (piece := response.read(_CHUNK)):
            file.write(piece)
            done += len(piece)
            tick(_megabytes(done))
    if max(done, announced or 0) > limit:
        _refuse(url, f"at most {limit} bytes", f"{max(done, announced or 0)} bytes or more", "check checkpoint.url")
    if announced is not None and done != announced:
        _refuse(url, f"{announced} bytes, as announced", f"{done} bytes, then the end", "run again")


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, except from https to anything that can be altered on the way."""

    def redirect_request(  # noqa: PLR0913, PLR0917 (the library's signature)
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request, or refuse it."""
        _require_scheme(newurl)
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            _refuse(req.full_url, "redirects to https only", f"a redirect to {_bare(newurl)}", "correct checkpoint.url")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_scheme(url: str) -> None:
    """Refuse everything but http and https: other schemes could read local files."""
    if urlsplit(url).scheme not in _SCHEMES:
        wanted = "an address that starts with https:// or http://"
        _refuse(url, wanted, _bare(url) or "nothing", "use checkpoint.source=file for a file")


def _bare(url: str) -> str:
    """Return an address as a message may show it: where a server sends us on to, the query often opens the door."""
    return without_secrets(url.partition("?")[0])


def _refuse(url: str, expected: str, got: str, cure: str, cause: Exception | None = None) -> NoReturn:
    raise CheckpointError(f"{_bare(url)} could not be downloaded", expected=expected, got=got, cure=cure) from cause
