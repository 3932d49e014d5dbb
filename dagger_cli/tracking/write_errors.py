"""What the operating system says when a write fails, as one sentence for the user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagger_cli.core.errors import CheckpointError

_FIXES = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some of your disk quota",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that can be written to",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Translate OSErrors of the block into CheckpointErrors that name `path` and the fix."""
    try:
        yield
    except OSError as err:
        reason = (err.strerror or str(err)).lower()
        fix = _FIXES.get(err.errno or 0, "check the folder")
        raise CheckpointError(
            f"cannot write to {path} ({reason}): {fix}; what was saved before is intact"
        ) from err
