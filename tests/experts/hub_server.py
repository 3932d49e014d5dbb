"""A Hub small enough to read: what huggingface_hub asks to look for and download files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_secret"


@dataclass
class Hub:
    """`repos[id][revision]` is a folder; `failures` are answered first, one request each."""

    repos: dict[str, dict[str, Path]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    failures: list[int] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def add(self, repo_id: str, folder: Path, revision: str = "main") -> str:
        """Serve the folder; returns the commit that it gets."""
        self.repos.setdefault(repo_id, {})[revision] = folder
        return commit_of(folder)


def commit_of(folder: Path) -> str:
    names = sorted(path.name for path in folder.rglob("*") if path.is_file())
    return hashlib.sha1("\n".join([str(folder), *names]).encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        self.hub.requests[f"{self.command} {url.path}"] += 1
        if self.hub.failures:
            self.reply(self.hub.failures.pop(0), b"busy")
        elif parts[:2] == ["api", "models"]:
            self.api(parts[2:], parse_qs(url.query))
        elif len(parts) >= 5 and parts[2] == "resolve":
            self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self.reply(404, b"{}")

    def api(self, parts: list[str], query: dict[str, list[str]]) -> None:
        if not parts:
            word = query.get("search", [""])[0].lower()
            found = [name for name in self.hub.repos if word in name.lower()]
            self.reply_json([{"id": name, "modelId": name} for name in found])
            return
        repo_id, revision = "/".join(parts[:2]), parts[3] if len(parts) > 3 else "main"
        folder = self.folder(repo_id, revision)
        if folder is not None:
            names = [path.name for path in sorted(folder.iterdir()) if path.is_file()]
            siblings = [{"rfilename": name} for name in names]
            self.reply_json({"id": repo_id, "sha": commit_of(folder), "siblings": siblings})

    def resolve(self, repo_id: str, revision: str, name: str) -> None:
        folder = self.folder(repo_id, revision)
        if folder is None:
            return
        commit = {"X-Repo-Commit": commit_of(folder)}
        if not (folder / name).is_file():
            self.reply(404, b"no such file", {**commit, "X-Error-Code": "EntryNotFound"})
            return
        content = (folder / name).read_bytes()
        etag = {
            "ETag": f'"{hashlib.sha1(content).hexdigest()}"',
            "Accept-Ranges": "bytes",
            **commit,
        }
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and self.command == "GET":
            start = int(asked.removeprefix("bytes=").split("-")[0])
            span = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            self.reply(206, content[start:], {**etag, **span})
            return
        self.reply(200, content, etag)

    def folder(self, repo_id: str, revision: str) -> Path | None:
        """The folder asked for; otherwise the error has been sent."""
        revisions = self.hub.repos.get(repo_id)
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if revisions is None or (repo_id in self.hub.private and not known):
            self.reply(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif repo_id in self.hub.gated and not known:
            self.reply(401, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            commits = {commit_of(folder): folder for folder in revisions.values()}
            folder = revisions.get(revision) or commits.get(revision)
            if folder is None:
                self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            return folder
        return None

    def reply_json(self, value: object) -> None:
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def reply(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()
    handler = type("BoundHandler", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
