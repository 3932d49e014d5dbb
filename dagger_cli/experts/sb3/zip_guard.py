"""Checks the size of a zip's table of contents before Python's zipfile reads it into memory."""

from __future__ import annotations

import struct
from typing import IO

from dagger_cli.core.errors import ExpertError

MAX_DIRECTORY_BYTES = 2**20  # some 10,000 members
_TAIL = 2**16 + 200  # the end record, its longest comment and the 64-bit records before it
_RECORDS = ((b"PK\x05\x06", "<I", 12), (b"PK\x06\x06", "<Q", 40))  # signature, size field, offset


def refuse_long_directory(file: IO[bytes]) -> None:
    """Raises ExpertError where any end record near the end of the file declares a large one."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    file.seek(0)
    for signature, layout, offset in _RECORDS:
        at = tail.find(signature)
        while at >= 0:
            field = tail[at + offset : at + offset + struct.calcsize(layout)]
            if len(field) == struct.calcsize(layout):
                (declared,) = struct.unpack(layout, field)
                if declared > MAX_DIRECTORY_BYTES and declared != 0xFFFFFFFF:
                    raise ExpertError("its table of contents is too long")
            at = tail.find(signature, at + 1)
