"""The labelled states in the arrays of a shard, which may have been altered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagger_cli.core.compact import Stored
from dagger_cli.core.dataset import COLUMNS
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.row_forms import rows_in
from dagger_cli.core.types import Array


def columns_of(path: Path, arrays: Mapping[str, Array]) -> tuple[Stored, dict[str, Any]]:
    """Returns the observations and the columns beside them, by name.

    Raises CheckpointError where they are missing, or not as a round is saved.
    """
    try:
        stored = rows_in(arrays)
    except ValueError as err:
        raise CheckpointError(f"{path} contains damaged observations: {err}") from err
    beside = {name: arrays[name] for name in COLUMNS[1:] if name in arrays}
    for name in COLUMNS[:3]:
        if stored is None or name not in ("obs", *beside):
            raise CheckpointError(f"{path} contains no labelled states: no '{name}'")
    assert stored is not None
    return stored, beside
