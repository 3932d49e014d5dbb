"""The revision of a git repository, read from its files.

git itself runs programs that a repository's own settings name (filters, monitors, hooks), and a
folder that came from elsewhere may be a repository.
"""

from __future__ import annotations

import re
from pathlib import Path

from dagger_cli.utils.files import read_bytes

_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REF = re.compile(r"ref: (refs/[\w./+@-]+)", re.ASCII)
_SMALL, _PACKED = 4096, 2**26  # bytes of a reference, and of the list of all
_LINKS = 5  # references to references


def revision(folder: Path) -> str | None:
    """Returns the commit that is checked out in the repository around `folder`; None without."""
    try:
        for parent in (folder, *folder.parents):
            if (parent / ".git").exists():
                return _head(_git_folder(parent / ".git"))
    except (OSError, RuntimeError, ValueError):
        return None
    return None


def _git_folder(path: Path) -> Path:
    """Returns the folder that a `.git` is or, in a worktree or submodule, names."""
    if path.is_dir():
        return path
    text = _text(path)
    return path.parent / text.removeprefix("gitdir:").strip()


def _head(git: Path) -> str | None:
    common = git / _text(git / "commondir") if (git / "commondir").is_file() else git
    text = _text(git / "HEAD")
    for _ in range(_LINKS):
        if _HASH.fullmatch(text):
            return text
        match = _REF.fullmatch(text)
        if match is None or ".." in match[1]:
            return None
        text = _reference(match[1], git, common)
    return None


def _reference(name: str, git: Path, common: Path) -> str:
    for folder in (git, common):
        if (folder / name).is_file():
            return _text(folder / name)
    for line in read_bytes(common / "packed-refs", _PACKED).decode("ascii", "replace").splitlines():
        commit, _, of = line.partition(" ")
        if of == name:
            return commit
    return ""


def _text(path: Path) -> str:
    return read_bytes(path, _SMALL).decode("utf-8", "replace").strip()
