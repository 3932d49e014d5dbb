"""Reading and writing of named arrays as safetensors, checked by a hash; nothing is unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.types import Array
from dagger_cli.tracking.run_paths import check_inside
from dagger_cli.utils.files import check_regular, write_bytes

MAX_BYTES = 2**32  # of the arrays of a policy or of environments
_CHUNK = 2**20
NOTE = "note"


def write_arrays(path: Path, arrays: Mapping[str, Array], note: str | None = None) -> str:
    """Writes the arrays (numbers or booleans of any shape) and a note; returns the file's sha256.

    There is one note, as safetensors writes several in no fixed order.
    """
    from safetensors.numpy import save

    # safetensors copies raw memory, so transposed or strided arrays must be made contiguous.
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    data: bytes = save(whole, None if note is None else {NOTE: note})
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def read_arrays(path: Path, sha256: str, within: Path, limit: int = MAX_BYTES) -> dict[str, Array]:
    """Reads the arrays of a file with this hash that is inside the folder `within`.

    Raises CheckpointError for any other file, and for more than `limit` bytes. The hash is computed
    in chunks before anything is loaded.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    check_hash(path, sha256, within, limit)
    with _reading(path):
        data = path.read_bytes()
    try:
        arrays: dict[str, Array] = load(data)
    except (SafetensorError, KeyError, ValueError) as err:
        raise CheckpointError(f"{path} does not contain arrays: {err}") from err
    return arrays


def check_hash(path: Path, sha256: str, within: Path, limit: int = MAX_BYTES) -> None:
    """Raises CheckpointError unless `path` is a regular file in `within` with this hash."""
    check_inside(path, within)
    digest = hashlib.sha256()
    with _reading(path):
        check_regular(path, limit)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    if digest.hexdigest() != sha256:
        raise CheckpointError(f"{path} is truncated or altered: its sha256 is not the recorded one")


def read_note(path: Path) -> str:
    """Returns the note of a file, empty without one; raises CheckpointError for no such file."""
    from safetensors import SafetensorError, safe_open

    with _reading(path):
        try:
            with safe_open(path, framework="numpy") as file:
                return str((file.metadata() or {}).get(NOTE, ""))
        except SafetensorError as err:
            raise CheckpointError(f"{path} does not contain arrays: {err}") from err


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Converts the OSErrors of the block to CheckpointErrors."""
    try:
        yield
    except FileNotFoundError as err:
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete") from err
    except OSError as err:
        raise CheckpointError(f"{path} cannot be read: {err.strerror}") from err
