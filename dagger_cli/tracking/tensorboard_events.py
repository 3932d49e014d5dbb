"""Removal of events that an interrupted run wrote after its last checkpoint.

TensorBoard itself hides events from a given step on, but rounds that add no labels have the same
step, so their events would be doubled.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from dagger_cli.utils.files import check_regular

LAST_TAG = "train/round"  # the scalar written last in a round
_FILES = "events.out.tfevents.*"
_MAX_BYTES = 2**32
_MAX_EVENT = 2**24
_HEADER, _FOOTER = 12, 4  # bytes of a record around its event: length and checksums


def forget_after(folder: Path, round: int) -> None:
    """Removes what follows the events of `round`; leaves all as it is where they are not found.

    Raises OSError for files that cannot be read.
    """
    files = sorted(folder.glob(_FILES))
    for at in range(len(files) - 1, -1, -1):
        end = _end_of(files[at], round)
        if end is not None:
            for later in files[at + 1 :]:
                later.unlink()
            if end < files[at].stat().st_size:
                os.truncate(files[at], end)
            return


def _end_of(path: Path, round: int) -> int | None:
    """Returns the position after the last event of `round`; None where there is none."""
    from tensorboard.compat.proto.event_pb2 import Event

    found = None
    for end, data in _records(path):
        if LAST_TAG.encode() not in data:
            continue
        try:
            values = Event.FromString(data).summary.value
        except Exception:  # protobuf's own error, which has no public name in all versions
            continue
        if any(value.tag == LAST_TAG and value.simple_value == round for value in values):
            found = end
    return found


def _records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yields the position after each complete record, and its serialized event."""
    size, end = check_regular(path, _MAX_BYTES), 0
    with path.open("rb") as file:
        while len(header := file.read(_HEADER)) == _HEADER:
            (length,) = struct.unpack("<Q", header[:8])
            end += _HEADER + length + _FOOTER
            if length > _MAX_EVENT or end > size:
                return
            yield end, file.read(length + _FOOTER)[:length]
