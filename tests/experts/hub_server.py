"""A Hub small enough to read: what huggingface_hub asks to look for, download and upload files."""

from __future__ import annotations

import base64
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
    """`repos[id][revision]` is a folder; `failures` are answered first, one request each.

    `cuts` are numbers of bytes after which the connection of a download breaks, one each; `cards`
    are what a search says of a repository; what is pushed goes to folders in `storage`.
    """

    repos: dict[str, dict[str, Path]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    failures: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    cards: dict[str, dict[str, object]] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    ranges: list[str] = field(default_factory=list)
    storage: Path | None = None
    url: str = ""

    def add(self, repo_id: str, folder: Path, revision: str = "main") -> str:
        """Serve the folder; returns the commit that it gets."""
        self.repos.setdefault(repo_id, {})[revision] = folder
        return commit_of(folder)


def etag_of(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def commit_of(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    facts = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]
    return hashlib.sha1("\n".join([str(folder), *facts]).encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        self.hub.requests[f"{self.command} {url.path}"] += 1
        self.body = self.read_body()
        if self.hub.failures:
            self.reply(self.hub.failures.pop(0), b"busy")
        elif self.command == "POST":
            self.post(parts)
        elif parts[:2] == ["api", "models"]:
            self.api(parts[2:], parse_qs(url.query))
        elif len(parts) >= 5 and parts[2] == "resolve":
            self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self.reply(404, b"{}")

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def post(self, parts: list[str]) -> None:
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if parts[1:] == ["validate-yaml"]:
            self.reply_json({"errors": [], "warnings": []})
        elif not known:
            self.reply(401, b"{}")
        elif parts[1:] == ["repos", "create"]:
            asked = json.loads(self.body)
            self.create(
                f"{asked['organization']}/{asked['name']}", asked.get("visibility") == "private"
            )
        elif parts[4:5] == ["preupload"]:
            paths = [file["path"] for file in json.loads(self.body)["files"]]
            modes = [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]
            self.reply_json({"files": modes})
        elif parts[4:5] == ["commit"]:
            self.commit("/".join(parts[2:4]))
        else:
            self.reply(404, b"{}")

    def create(self, repo_id: str, private: bool) -> None:
        assert self.hub.storage is not None
        url = {"url": f"{self.hub.url}/{repo_id}"}
        if repo_id in self.hub.repos:
            self.reply(409, json.dumps(url).encode())
            return
        folder = self.hub.storage / repo_id
        folder.mkdir(parents=True)
        self.hub.add(repo_id, folder)
        if private:
            self.hub.private.add(repo_id)
        self.reply_json(url)

    def commit(self, repo_id: str) -> None:
        """One line a file; all of it is there, or nothing."""
        folder = self.hub.repos[repo_id]["main"]
        for line in map(json.loads, self.body.splitlines()):
            if line["key"] == "file":
                path, content = line["value"]["path"], line["value"]["content"]
                (folder / path).write_bytes(base64.b64decode(content))
        oid = commit_of(folder)
        url = f"{self.hub.url}/{repo_id}/commit/{oid}"
        self.reply_json({"success": True, "commitOid": oid, "commitUrl": url})

    def api(self, parts: list[str], query: dict[str, list[str]]) -> None:
        if not parts:
            word = query.get("search", [""])[0].lower()
            found = [name for name in self.hub.repos if word in name.lower()]
            cards = self.hub.cards
            self.reply_json([{"id": n, "modelId": n, **cards.get(n, {})} for n in found])
            return
        repo_id, revision = "/".join(parts[:2]), parts[3] if len(parts) > 3 else "main"
        folder = self.folder(repo_id, revision)
        if folder is not None and parts[2:3] == ["tree"]:
            paths = [path for path in sorted(folder.iterdir()) if path.is_file()]
            files = [
                {"type": "file", "path": p.name, "size": p.stat().st_size, "oid": etag_of(p)}
                for p in paths
            ]
            self.reply_json(files)
        elif folder is not None:
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
            "ETag": f'"{etag_of(folder / name)}"',
            "Accept-Ranges": "bytes",
            **commit,
        }
        status, asked = 200, self.headers.get("Range", "")
        if asked.startswith("bytes=") and self.command == "GET":
            self.hub.ranges.append(asked)
            start, size = int(asked.removeprefix("bytes=").split("-")[0]), len(content)
            status, content = 206, content[start:]
            etag["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        if self.command == "GET" and self.hub.cuts:
            self.cut(status, content, self.hub.cuts.pop(0), etag)
        else:
            self.reply(status, content, etag)

    def cut(self, status: int, content: bytes, at: int, headers: dict[str, str]) -> None:
        """Promise all of it, send the beginning, hang up."""
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content[:at])
        self.close_connection = True

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
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
