"""Stages the sources of the documentation site: python -m scripts.site.stage OUT

Copies README.md (as the first page), docs/, the pages of the root and those generated from code and
YAML (reference.py) to OUT. Links between them are rewritten; a link to another file of the
repository leads to a copy of it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from scripts.site.reference import pages

ROOT = Path(__file__).resolve().parents[2]
MOVED = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "about/architecture.md",
    "CHANGELOG.md": "about/changelog.md",
    "CONTRIBUTING.md": "about/contributing.md",
    "CODE_OF_CONDUCT.md": "about/code_of_conduct.md",
    "SECURITY.md": "about/security.md",
    "conf/README.md": "reference/config.md",
}
LINK = re.compile(r"(?P<text>!?\[[^\]]*\])\((?P<target>[^)\s]+)\)")


def place_of(path: Path) -> str | None:
    """Returns where a file of the repository is in the site; None for a folder."""
    name = path.relative_to(ROOT).as_posix()
    if name in MOVED:
        return MOVED[name]
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    return f"files/{name}" if path.is_file() else None


def rewritten(text: str, source: Path, place: str, out: Path) -> str:
    """Returns a page with the links of its new place; files that it links to are copied."""

    def link(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        path = (source.parent / target).resolve()
        if not path.exists():
            raise SystemExit(f"{source.relative_to(ROOT)} links to {target}, which does not exist")
        new = place_of(path)
        if new is None:  # a folder: trainers/ has a first page, others are only named
            index = path / "index.md"
            if not index.is_file():
                return match["text"].strip("[]")
            new = str(place_of(index))
        if new.startswith("files/"):
            _copy(path, out / new)
        relative = os.path.relpath(new, os.path.dirname(place) or ".")
        return f"{match['text']}({relative}{'#' + anchor if anchor else ''})"

    return LINK.sub(link, text)


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def stage(out: Path) -> None:
    """Writes all sources of the site to `out`, which is emptied first."""
    shutil.rmtree(out, ignore_errors=True)
    files = [ROOT / name for name in MOVED if (ROOT / name).exists()]
    files += [path for path in sorted((ROOT / "docs").rglob("*")) if path.is_file()]
    for path in files:
        place = str(place_of(path))
        if path.suffix == ".md":
            text = rewritten(path.read_text("utf-8"), path, place, out)
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            (out / place).write_text(text, "utf-8")
        else:
            _copy(path, out / place)
    for place, text in pages().items():
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        (out / place).write_text(text, "utf-8")


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
