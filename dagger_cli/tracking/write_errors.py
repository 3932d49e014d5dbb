"""Translation of failed writes to one-sentence errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagger_cli.core.errors import CheckpointError
from dagger_cli.utils.files import shown_path

_FIXES = {
    errno.ENOSPC: "free some space on the disk",
    errno.EACCES: "choose a writable folder",
    errno.EPERM: "choose a writable folder",
    errno.EROFS: "choose a writable folder",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Translates OSErrors of the block to CheckpointErrors with `path` and the fix."""
    try:
        yield
    except OSError as err:
        reason = (err.strerror or str(err)).lower()
        fix = _FIXES.get(err.errno or 0, "check the folder")
        raise CheckpointError(
            f"cannot write to {shown_path(path)} ({reason}): {fix}; what was saved before is intact"
        ) from err
