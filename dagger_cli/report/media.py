"""Videos and GIFs in the folders of runs: links, and small GIFs embedded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dagger_cli.report.blocks import Block, Heading, Media
from dagger_cli.report.run_record import RunRecord
from dagger_cli.utils.files import check_regular, read_bytes, shown_path

_KINDS = (".gif", ".mp4")
_EMBEDDED = 100_000  # bytes of a GIF
_TOGETHER = 300_000  # bytes of all GIFs of an environment
_LONGEST = 2**33


def media_blocks(runs: Sequence[RunRecord], out: Path) -> Iterator[Block]:
    """Yields the videos of the runs, with links from the folder `out`."""
    left, first = _TOGETHER, True
    for path in (path for run in runs for path in _files(run.folder)):
        gif = _gif(path, min(left, _EMBEDDED))
        left -= len(gif or b"")
        if first:
            yield Heading("Videos", 3)
        first = False
        yield Media(shown_path(path), os.path.relpath(path, out), gif)


def _files(folder: Path) -> list[Path]:
    found = []
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in _KINDS and not path.is_symlink():
                with suppress(OSError):
                    check_regular(path, _LONGEST)
                    found.append(path)
    return found


def _gif(path: Path, limit: int) -> bytes | None:
    if path.suffix.lower() != ".gif":
        return None
    try:
        data = read_bytes(path, limit)
    except OSError:
        return None
    return data if data.startswith((b"GIF87a", b"GIF89a")) else None
