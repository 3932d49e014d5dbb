"""Atomic file writes: readers, also after a crash, see the old version or the new.

Everything is written under a temporary name in the same folder, forced to the disk and renamed. The
name is random and must be new: a folder that came from elsewhere may contain links under names that
can be guessed. Errors of the operating system are passed on after the temporary files are removed.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

# Creates a file; fails for any name in use, also a symbolic link's. (Windows has no O_NOFOLLOW.)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
# What network and shared folders (SMB, FUSE) answer to fsync of a folder.
_CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}


def draft_of(path: Path) -> Path:
    """Returns a random name for a temporary file beside `path`, with the same suffix before it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def is_draft(path: Path) -> bool:
    """Returns whether this is the temporary file of an interrupted write."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def sync_folder(folder: Path) -> None:
    """Forces a folder's entries to the disk; without it a rename may not survive a power cut.

    Does nothing where the system cannot do this for folders.
    """
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as err:
        if err.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(handle)


def check_regular(path: Path, limit: int) -> int:
    """Returns the size of a regular file; raises OSError for others and above `limit` bytes.

    A symbolic link may lead to a device or a pipe, whose size says nothing and whose data may be
    endless.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if status.st_size > limit:
        size = f"{status.st_size / 1e6:,.1f} MB, at most {limit / 1e6:,.1f} MB"
        raise OSError(errno.EFBIG, f"too large: {size}", str(path))
    return status.st_size


def read_bytes(path: Path, limit: int) -> bytes:
    """Returns the content of a regular file of at most `limit` bytes; raises OSError otherwise."""
    check_regular(path, limit)
    with path.open("rb") as file:
        return file.read(limit)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes or replaces the file; its folder must exist."""
    draft = draft_of(path)
    try:
        with os.fdopen(os.open(draft, _NEW, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Writes or replaces the file with text in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes or replaces the file with anything that `plain` converts, as indented JSON."""
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    # Lists of numbers go on one line. (A string in JSON never contains a literal line break.)
    text = re.sub(r'\[\n([^\[\]{}"]*)\n\s*\]', lambda m: f"[{' '.join(m[1].split())}]", text)
    write_text(path, text + "\n")


def append_line(path: Path, line: str) -> None:
    """Appends a line and forces it to the disk; on an error the file is truncated to before."""
    with os.fdopen(os.open(path, _APPEND, 0o666), "ab", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        try:
            left = memoryview(line.encode() + b"\n")
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                file.truncate(end)
            raise


def open_log(path: Path) -> TextIO:
    """Opens a text file to append lines; raises OSError for a symbolic link."""
    return os.fdopen(os.open(path, _APPEND, 0o666), "a", buffering=1, encoding="utf-8")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary folder to fill; renames it to `path`, not yet in use, after the block."""
    draft = draft_of(path)
    try:
        draft.mkdir()
        yield draft
        sync_folder(draft)
        os.replace(draft, path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_folder(path.parent)


def replace_link(link: Path, target: str) -> None:
    """Makes `link` a symbolic link to `target`, relative to the link's own folder."""
    draft = draft_of(link)
    try:
        draft.symlink_to(target)
        os.replace(draft, link)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(link.parent)


def plain(value: Any, non_finite: Callable[[float], Any] = lambda number: None) -> Any:
    """Converts nested mappings, sequences, arrays, numbers, strings and paths to strict JSON types.

    JSON has neither nan nor inf: `non_finite` gives their replacement, by default null.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, non_finite) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), non_finite)
    if isinstance(value, (list, tuple, range)):
        return [plain(item, non_finite) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return non_finite(value)
    return value


def shown_path(path: Path) -> str:
    """Returns a relative path for what is below the current folder, else the absolute one."""
    relative = os.path.relpath(path)
    if relative.startswith("..") or relative == ".":
        return os.path.abspath(path)
    special = relative.startswith(("~", "-")) or relative in ("expert", "latest", "null")
    return f"./{relative}" if special else relative
