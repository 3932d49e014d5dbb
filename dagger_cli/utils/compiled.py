"""Numba, with settings from the environment only, and a cache of machine code that is ours.

Numba takes settings from a `.numba_config.yaml` in the current folder, among them the folder of its
cache, whose files it unpickles: a folder that came from elsewhere could run anything. Here this
file is never read. The cache is in a folder named by a digest of the sources, under NUMBA_CACHE_DIR
or the package's cache folder, so it also works with a read-only installation. Where no such folder
can be made, every process compiles anew.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from dagger_cli.utils.system import cache_folder

F = TypeVar("F", bound=Callable[..., Any])
_CONFIG = ".numba_config.yaml"


def _imported() -> Any:
    """Imports numba as if the current folder had no file of settings."""
    if "numba" in sys.modules:  # imported by the program that uses this package
        return sys.modules["numba"]
    here = None
    if os.path.lexists(_CONFIG):
        here = os.getcwd()
        os.chdir(Path(__file__).parent)
    try:
        import numba
    finally:
        if here is not None:
            os.chdir(here)
    with suppress(AttributeError):  # a version without this file
        numba.core.config._config_fname = os.devnull + "/none"  # numba reads it again and again
    return numba


numba = _imported()


def kernel(**options: Any) -> Callable[[F], F]:
    """Returns a decorator that compiles a function, with numba's options, and caches it on disk.

    The function must be called from Python and call only functions of its own file.
    """

    def decorate(function: F) -> F:
        folder = cache_of("kernels", (Path(function.__code__.co_filename),))
        with cached_in(folder):
            result: F = numba.njit(cache=folder is not None, **options)(function)
        return result

    return decorate


@cache
def cache_of(name: str, sources: tuple[Path, ...]) -> Path | None:
    """Returns the cache folder for exactly these files; None where it cannot be written to."""
    try:
        given = os.environ.get("NUMBA_CACHE_DIR")
        base = Path(given) / "dagger-cli" if given else cache_folder()
        folder = base / f"{name}-{digest(sources)}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder.absolute()
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None


def digest(sources: Iterable[Path]) -> str:
    """Returns 16 hexadecimal digits that identify the files' contents and the compiler."""
    result = hashlib.sha256(numba.__version__.encode())
    for path in sources:
        result.update(path.read_bytes())
    return result.hexdigest()[:16]


@contextmanager
def cached_in(folder: Path | None) -> Iterator[None]:
    """Sets Numba's cache folder, which it reads when a function is decorated."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder or before)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
