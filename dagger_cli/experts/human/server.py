"""The HTTP server of the person's page: for this machine, one token, and no other origin."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qs, urlsplit

PAGE = Path(__file__).with_name("page.html")
LONGEST = 4096  # bytes of a request's body
WAIT = 1.0  # seconds after which a page without news asks again
HOSTS = ("127.0.0.1", "localhost")  # other names may lead here by DNS rebinding


class Pages(Protocol):
    """What the server shows, and what it passes on."""

    def newer(self, than: int, seconds: float) -> bytes:
        """Returns the first message after number `than`, empty where there is none in time."""
        ...

    def give(self, body: bytes) -> None:
        """Takes input; raises ValueError for anything else."""
        ...


class Server(ThreadingHTTPServer):
    """Serves the page at `address`; `port` 0 is any free one."""

    daemon_threads = True

    def __init__(self, port: int, token: str, title: str, pages: Pages) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.token, self.title, self.pages = token, title, pages

    @property
    def address(self) -> str:
        """Address of the page, with its token."""
        return f"http://127.0.0.1:{self.server_port}/?token={self.token}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints nothing where a page was closed in the middle of an answer."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """GET / is the page, GET /next?after=n the next picture, POST /input what the person does."""

    protocol_version = "HTTP/1.1"  # keeps the connection for the next picture
    server: Any
    server_version, sys_version = "dagger", ""
    timeout = 60
    SAFE: ClassVar[Mapping[str, str]] = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    def do_GET(self) -> None:
        """Answers with the page or with the next picture."""
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if self._refused(query):
            return
        if url.path == "/":
            self._page()
        elif url.path == "/next":
            after = query.get("after", ["0"])[0]
            number = int(after) if after.lstrip("-").isdecimal() and len(after) < 18 else 0
            self._send(200, self.server.pages.newer(number, WAIT), "application/json")
        else:
            self._send(404, b"there is no such page", "text/plain")

    def do_POST(self) -> None:
        """Takes input."""
        url = urlsplit(self.path)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST:
            self.close_connection = True
            self._send(413, b"too long", "text/plain")
            return
        body = self.rfile.read(int(length))
        if self._refused(parse_qs(url.query)):
            return
        if url.path != "/input":
            self._send(404, b"there is no such page", "text/plain")
            return
        try:
            self.server.pages.give(body)
        except (ValueError, KeyError, TypeError, RecursionError):
            self._send(400, b"not input", "text/plain")
            return
        self._send(204, b"", "text/plain")

    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing: the console belongs to the run, and addresses have the token."""

    def _refused(self, query: Mapping[str, list[str]]) -> bool:
        """Answers 403, and returns True, for another host, another origin or a wrong token."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        given = query.get("token", [""])[0].encode()
        allowed = (
            host.rpartition(":")[0] in HOSTS
            and origin in (None, f"http://{host}")
            and secrets.compare_digest(given, self.server.token.encode())
        )
        if not allowed:
            self._send(403, b"use the address that the run has printed", "text/plain")
        return not allowed

    def _page(self) -> None:
        nonce = secrets.token_urlsafe(16)
        text = PAGE.read_text(encoding="utf-8").replace("NONCE", nonce)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "img-src data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        extra = {"Content-Security-Policy": policy}
        self._send(200, text.encode(), "text/html; charset=utf-8", extra)

    def _send(
        self, status: int, body: bytes, kind: str, extra: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body))}
        for name, value in (headers | dict(self.SAFE) | dict(extra or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
