"""Locks the folder of a run while it is trained, and clears it where no round was finished."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.tracking.run_paths import CHECKPOINTS, LAST, RUN_FILES, VERSIONS, round_of
from dagger_cli.tracking.write_errors import writing

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Release = Callable[[], object]
LOCK = ".lock"  # beside the folder, and only where folders themselves cannot be locked


@contextmanager
def lock_existing_run(folder: Path) -> Iterator[None]:
    """Locks the folder of a run that is resumed; ConfigError where another process trains it."""
    release = _lock(folder)
    if release is None:
        raise ConfigError(_busy(folder))
    try:
        yield
    finally:
        release()


@contextmanager
def lock_new_run(folder: Path, *, exact: bool) -> Iterator[Path]:
    """Creates and locks the folder of a new run.

    If `folder` is taken and `exact` is false (two runs may start in the same second), tries
    `<folder>_2`, `<folder>_3`, ... What the block leaves there is removed if it fails before its
    first round is finished.
    """
    with writing(folder):
        found, release = _claim(folder, exact=exact)
    try:
        yield found
    except BaseException:
        if not _holds_a_run(found):
            _clear(found)
            with suppress(OSError):
                found.rmdir()  # refuses where anything else is inside
        raise
    finally:
        release()


def _claim(folder: Path, *, exact: bool) -> tuple[Path, Release]:
    candidate, n = folder, 1
    while True:
        candidate.mkdir(parents=True, exist_ok=True)
        _refuse_files_of_others(candidate)
        release = _lock(candidate)
        if release is not None and not _holds_a_run(candidate):
            _clear(candidate)  # what a killed run left
            return candidate, release
        if release is not None:
            release()
        if exact:
            raise ConfigError(_busy(folder) if release is None else _taken(folder))
        n += 1
        candidate = folder.with_name(f"{folder.name}_{n}")


def _lock(folder: Path) -> Release | None:
    """Locks the folder; returns what releases it, None where another process holds it.

    The folder itself is locked where that is possible: unlike a lock file this leaves nothing
    behind, and a folder that came from elsewhere cannot have a link in its place.
    """
    if fcntl is None:
        return _lock_file(folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        if err.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(handle)
            return None
        # Some network file systems have no locks.
    return lambda: os.close(handle)


def _lock_file(folder: Path) -> Release | None:
    from filelock import FileLock, Timeout

    lock = FileLock(folder.with_name(folder.name + LOCK), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock.release


def _busy(folder: Path) -> str:
    return f"{folder} is being trained by another process: wait for it, or choose another folder"


def _taken(folder: Path) -> str:
    return (
        f"{folder} already holds a run: resume it (resume={folder}) or choose another folder "
        "(hydra.run.dir=...)"
    )


def _holds_a_run(folder: Path) -> bool:
    """Whether a round is finished there; more than a first one without a link is a copied run."""
    checkpoints = folder / CHECKPOINTS
    if os.path.lexists(checkpoints / LAST):
        return True
    return checkpoints.is_dir() and any((round_of(e) or 0) > 1 for e in checkpoints.iterdir())


def _refuse_files_of_others(folder: Path) -> None:
    """A run writes its versions first, so without them the rest is not of a run."""
    for name in RUN_FILES:
        if os.path.lexists(folder / name) and not (folder / VERSIONS).is_file():
            raise ConfigError(
                f"{folder} has a {name} that is not of a run: choose another folder "
                "(hydra.run.dir=...)"
            )


def _clear(folder: Path) -> None:
    """Remove what a run without a finished round consists of."""
    for name in RUN_FILES:
        entry = folder / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
