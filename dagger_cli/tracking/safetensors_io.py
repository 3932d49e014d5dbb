"""Reading and writing of named arrays as safetensors, checked by a hash; nothing is unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.types import Array
from dagger_cli.tracking.run_paths import check_inside
from dagger_cli.utils.files import read_bytes, write_bytes

MAX_BYTES = 2**40  # the rows of one round may be many; the check for a regular file matters more


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> str:
    """Writes the arrays (numbers or booleans of any shape); returns the file's sha256."""
    from safetensors.numpy import save

    # safetensors copies raw memory, so transposed or strided arrays must be made contiguous.
    data: bytes = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def read_arrays(path: Path, sha256: str, within: Path) -> dict[str, Array]:
    """Reads the arrays of a file with this hash that is inside the folder `within`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    check_inside(path, within)
    try:
        data = read_bytes(path, MAX_BYTES)
    except FileNotFoundError as err:
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete") from err
    except OSError as err:
        raise CheckpointError(f"{path} cannot be read: {err.strerror}") from err
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CheckpointError(f"{path} is truncated or altered: its sha256 is not the recorded one")
    try:
        arrays: dict[str, Array] = load(data)
    except (SafetensorError, KeyError, ValueError) as err:
        raise CheckpointError(f"{path} does not contain arrays: {err}") from err
    return arrays
