"""One run a folder: held by a lock while it is trained, and free again where nothing came of it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.tracking.run_paths import CHECKPOINTS, LAST, RUN_FILES, VERSIONS, round_of
from dagger_cli.tracking.write_errors import writing

try:
    import fcntl
except ImportError:  # Windows has no such locks; there two runs of one folder are the user's affair
    fcntl = None  # type: ignore[assignment]


@contextmanager
def lock_existing_run(folder: Path) -> Iterator[None]:
    """Hold the folder of a run that goes on; raises ConfigError where another process trains it."""
    handle = _lock(folder)
    if handle is None:
        raise ConfigError(_busy(folder))
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def lock_new_run(folder: Path, *, exact: bool) -> Iterator[Path]:
    """Hold a folder for a new run: `folder`, or where that is taken and it need not be `exact`
    that one (two runs may start in the same second), `<folder>_2` and so on.

    What the block leaves there is removed if it fails before its first round is finished.
    """
    with writing(folder):
        found, handle = _claim(folder, exact=exact)
    try:
        yield found
    except BaseException:
        if not _holds_a_run(found):
            _clear(found)
            with suppress(OSError):
                found.rmdir()  # refuses where anything else is inside
        raise
    finally:
        os.close(handle)


def _claim(folder: Path, *, exact: bool) -> tuple[Path, int]:
    candidate, n = folder, 1
    while True:
        candidate.mkdir(parents=True, exist_ok=True)
        _refuse_files_of_others(candidate)
        handle = _lock(candidate)
        if handle is not None and not _holds_a_run(candidate):
            _clear(candidate)  # what a killed run left
            return candidate, handle
        if handle is not None:
            os.close(handle)
        if exact:
            raise ConfigError(_busy(folder) if handle is None else _taken(folder))
        n += 1
        candidate = folder.with_name(f"{folder.name}_{n}")


def _lock(folder: Path) -> int | None:
    """A handle that holds the folder until it is closed; None where another process holds it."""
    if fcntl is None:
        return os.open(os.devnull, os.O_RDONLY)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        if err.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(handle)
            return None
        # Some network file systems have no locks.
    return handle


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
