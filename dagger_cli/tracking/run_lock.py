"""Locks the folder of a run while it is trained, and clears it where no round was finished."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.tracking.answers import has_answers
from dagger_cli.tracking.remains import clear, finished, foreign
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import shown_path

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
def lock_new_run(
    folder: Path, *, exact: bool, config: Mapping[str, Any] | None = None, answered: bool = False
) -> Iterator[Path]:
    """Creates and locks the folder of a new run with this config.

    If `folder` is taken and `exact` is false (two runs may start in the same second), tries
    `<folder>_2`, `<folder>_3`, ... What the block leaves there is removed if it fails before its
    first round is finished. A folder with answers of a person is taken unless `answered`.
    """
    with writing(folder):
        found, release = _claim(folder, exact=exact, config=config, answered=answered)
    try:
        yield found
    except BaseException:
        if not finished(found, config):
            clear(found)
            with suppress(OSError):
                found.rmdir()  # refuses where anything else is inside
        raise
    finally:
        release()


def is_locked(folder: Path) -> bool:
    """Returns whether a process trains the run now."""
    if fcntl is None and not folder.with_name(folder.name + LOCK).exists():
        return False
    try:
        release = _lock(folder)
    except OSError:  # a folder of another user
        return False
    if release is None:
        return True
    release()
    return False


def _claim(
    folder: Path, *, exact: bool, config: Mapping[str, Any] | None, answered: bool
) -> tuple[Path, Release]:
    candidate, n = folder, 1
    while True:
        candidate.mkdir(parents=True, exist_ok=True)
        release = _lock(candidate)
        problem = _busy(folder) if release is None else _taken(candidate, config, answered)
        if release is not None and problem is None:
            try:
                clear(candidate)  # what a killed run left
            except BaseException:
                release()
                raise
            return candidate, release
        if release is not None:
            release()
        if exact:
            raise ConfigError(problem)
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
    name = shown_path(folder)
    return f"{name} is being trained by another process: wait for it, or choose another folder"


def _taken(folder: Path, config: Mapping[str, Any] | None, answered: bool) -> str | None:
    """Returns why a folder cannot be used for a new run; None if it can."""
    name = shown_path(folder)
    if finished(folder, config) or (has_answers(folder) and not answered):
        return (
            f"{name} already holds a run: resume it (resume={name}) or choose another folder "
            "(hydra.run.dir=...)"
        )
    other = foreign(folder)
    if other is not None:
        return (
            f"{name} has {other}, which no interrupted run leaves: choose another folder "
            "(hydra.run.dir=...)"
        )
    return None
