"""Downloads from a real server on this machine that misbehaves in all the ways that matter."""

import hashlib
import http.client
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from enginewright.checkpoint.url import _Redirects, fetch_url
from enginewright.errors import CheckpointError, ConfigError

BODY = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers by path; the server counts the requests."""

    def do_GET(self) -> None:
        self.server.requests.append(self.path)  # type: ignore[attr-defined]
        getattr(self, "answer_" + self.path.strip("/").split("/")[0], self.answer_missing)()

    def send(self, length: int | None, body: bytes, **headers: str) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def answer_missing(self) -> None:
        self.send_error(404)

    def answer_good(self) -> None:
        self.send(len(BODY), BODY)

    def answer_unsized(self) -> None:
        self.send(None, BODY)

    def answer_endless(self) -> None:
        """Send 200 MB, unless nobody listens any more."""
        self.send(None, b"")
        try:
            for _ in range(200):
                self.wfile.write(bytes(1_000_000))
                self.server.sent += 1  # type: ignore[attr-defined]
        except OSError:
            self.close_connection = True

    def answer_cut(self) -> None:
        self.send(len(BODY), BODY[:-1000])

    def answer_flipped(self) -> None:
        self.send(len(BODY), b"\x01" + BODY[1:])

    def answer_broken(self) -> None:
        self.wfile.write(b"this is no HTTP\r\n\r\n")

    def answer_chunked_cut(self) -> None:
        self.send(None, b"10\r\n" + BODY[:16] + b"\r\n10\r\nshort", Transfer_Encoding="chunked")

    def answer_stalled(self) -> None:
        self.send(len(BODY), BODY[:1000])
        self.server.released.wait(20)  # type: ignore[attr-defined]

    def answer_silent(self) -> None:
        self.server.released.wait(20)  # type: ignore[attr-defined]

    def answer_moved(self) -> None:
        target = {"good": "/good", "file": "file:///etc/hostname", "ftp": "ftp://127.0.0.1/x", "round": self.path}
        self.send_response(302)
        self.send_header("Location", target[self.path.split("/")[2]])
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    """A server that remembers what it was asked, and can let go those whom it keeps waiting."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.sent = 0  # MB
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


def refused(url: str, cache: Path, timeout_s: float = 10, limit: int = 1 << 30) -> str:
    """Return the error's text, having checked that the cache holds no file."""
    with pytest.raises(CheckpointError) as caught:
        fetch_url(url, DIGEST, cache, timeout_s, limit)
    assert [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
    assert url in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("path", ["good", "unsized", "moved/good"])
def test_a_download_is_kept_under_its_digest_and_not_repeated(server: Server, tmp_path: Path, path: str) -> None:
    got = fetch_url(f"{server.url}/{path}", DIGEST, tmp_path, 10)
    assert got == tmp_path / "files" / DIGEST
    assert got.read_bytes() == BODY
    asked = len(server.requests)
    assert fetch_url(f"{server.url}/{path}", DIGEST, tmp_path, 10) == got
    assert len(server.requests) == asked


def test_a_cached_file_that_changed_is_downloaded_again(server: Server, tmp_path: Path) -> None:
    path = fetch_url(f"{server.url}/good", DIGEST, tmp_path, 10)
    path.write_bytes(b"\x01" + BODY[1:])
    assert fetch_url(f"{server.url}/good", DIGEST, tmp_path, 10).read_bytes() == BODY
    assert server.requests == ["/good", "/good"]


def test_two_at_once_download_once(server: Server, tmp_path: Path) -> None:
    threads = [threading.Thread(target=fetch_url, args=(f"{server.url}/good", DIGEST, tmp_path, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.requests == ["/good"]
    assert (tmp_path / "files" / DIGEST).read_bytes() == BODY


def test_a_wrong_digest_shows_both_and_is_not_kept(server: Server, tmp_path: Path) -> None:
    text = refused(f"{server.url}/flipped", tmp_path)
    assert f"expected: sha256 {DIGEST}" in text
    assert f"got: sha256 {hashlib.sha256(bytes([1]) + BODY[1:]).hexdigest()}" in text


def test_a_truncated_body_says_how_much_came(server: Server, tmp_path: Path) -> None:
    text = refused(f"{server.url}/cut", tmp_path)
    assert f"expected: {len(BODY)} bytes, as announced" in text
    assert f"got: {len(BODY) - 1000} bytes, then the end" in text
    assert "cure: run again" in text


def test_a_truncated_chunk_is_an_error(server: Server, tmp_path: Path) -> None:
    assert "IncompleteRead" in refused(f"{server.url}/chunked_cut", tmp_path)


@pytest.mark.parametrize("path", ["stalled", "silent"])
def test_a_stalled_server_is_given_up_after_the_timeout(server: Server, tmp_path: Path, path: str) -> None:
    start = time.monotonic()
    text = refused(f"{server.url}/{path}", tmp_path, timeout_s=0.5)
    assert time.monotonic() - start < 10, "the server would have kept us for 20 s"
    assert "data within 0.5 s" in text
    assert "checkpoint.timeout_s" in text


def test_a_missing_file_gives_its_status(server: Server, tmp_path: Path) -> None:
    text = refused(f"{server.url}/nowhere", tmp_path)
    assert "HTTP 404" in text
    assert "check checkpoint.url" in text


def test_an_announced_size_above_the_limit_is_not_read(server: Server, tmp_path: Path) -> None:
    text = refused(f"{server.url}/good", tmp_path, limit=1000)
    assert "at most 1000 bytes" in text
    assert f"{len(BODY)} bytes" in text


def test_an_endless_body_is_stopped_at_the_limit(server: Server, tmp_path: Path) -> None:
    assert "at most 1000 bytes" in refused(f"{server.url}/endless", tmp_path, limit=1000)
    assert server.sent < 50, "it was not read to its end"


def test_a_body_of_exactly_the_limit_passes(server: Server, tmp_path: Path) -> None:
    assert fetch_url(f"{server.url}/unsized", DIGEST, tmp_path, 10, limit=len(BODY)).exists()


def test_what_is_no_http_is_an_error(server: Server, tmp_path: Path) -> None:
    assert "BadStatusLine" in refused(f"{server.url}/broken", tmp_path)


def test_a_refused_connection_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as bound:  # a port that nobody listens on
        bound.bind(("127.0.0.1", 0))
        assert "ConnectionRefusedError" in refused(f"http://127.0.0.1:{bound.getsockname()[1]}/x", tmp_path)


@pytest.mark.parametrize("target", ["file", "ftp"])
def test_a_redirect_to_another_scheme_is_refused(server: Server, tmp_path: Path, target: str) -> None:
    with pytest.raises(CheckpointError, match=rf"(?s)could not be downloaded.*{target}:"):
        fetch_url(f"{server.url}/moved/{target}", DIGEST, tmp_path, 10)


def test_redirects_in_a_circle_end(server: Server, tmp_path: Path) -> None:
    assert "infinite loop" in refused(f"{server.url}/moved/round", tmp_path)


def follow(old: str, new: str) -> urllib.request.Request | None:
    request = urllib.request.Request(old)  # noqa: S310 - it is never opened
    return _Redirects().redirect_request(request, BytesIO(), 302, "Found", http.client.HTTPMessage(), new)


def test_a_redirect_may_stay_with_https_or_gain_it() -> None:
    for old in ("https://a/x", "http://a/x"):
        request = follow(old, "https://b/y")
        assert request is not None
        assert request.full_url == "https://b/y"


def test_a_redirect_from_https_to_http_is_refused() -> None:
    with pytest.raises(CheckpointError) as caught:
        follow("https://a/x", "http://b/y")
    assert "redirects to https only" in str(caught.value)
    assert "a redirect to http://b/y" in str(caught.value)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://host/file", "host/file", "", "data:,x"])
def test_other_schemes_are_refused(url: str, tmp_path: Path) -> None:
    text = refused(url, tmp_path)
    assert "https://" in text
    assert "checkpoint.source=file" in text


def test_the_name_in_the_cache_is_a_digest_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no SHA-256"):
        fetch_url("https://host/file", "../../escape", tmp_path, 1)


def test_where_a_server_sends_us_on_to_is_told_without_what_opens_it() -> None:
    with pytest.raises(CheckpointError) as caught:
        follow("https://host/x", "http://other/y?X-Amz-Signature=hunter2")
    assert "http://other/y" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_no_secret_of_an_address_is_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for url in ("ftp://me:hunter2@host/x", "http://me:hunter2@127.0.0.1:9/x?token=hunter2"):
        with pytest.raises(CheckpointError) as caught:
            fetch_url(url, DIGEST, tmp_path, 1)
        assert "hunter2" not in str(caught.value) + capfd.readouterr().err
