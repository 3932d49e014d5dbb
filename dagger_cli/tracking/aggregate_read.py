"""Reading of the labelled rows of a run, checked against its environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.compact import Stored
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.kit import Kit
from dagger_cli.tracking.manifest import Manifest
from dagger_cli.tracking.run_paths import shard_path
from dagger_cli.tracking.safetensors_io import MAX_BYTES, read_arrays
from dagger_cli.tracking.shard_columns import columns_of

_HEADER = 2**20  # bytes of a file beside its rows


def read_aggregate(checkpoints: Path, manifest: Manifest, kit: Kit) -> Dataset | None:
    """Returns the rows of all rounds; raises CheckpointError where a file is not as recorded."""
    data = None
    for round, shard in enumerate(manifest.shards, start=1):
        path = shard_path(checkpoints, round)
        # Rows with a past have as many observations as their episodes had steps.
        carried = kit.env.observation.past is not None
        limit = MAX_BYTES if carried else _HEADER + shard.rows * _row_bytes(kit)
        rows = read_arrays(path, shard.sha256, within=checkpoints, limit=limit)
        stored, beside = columns_of(path, rows)
        columns: dict[str, Any] = {"obs": stored, **beside}
        if any(column.shape[:1] != (shard.rows,) for column in columns.values()):
            raise CheckpointError(f"{path} does not contain the {shard.rows} rows of its round")
        _check_rows(path, columns, kit)
        data = kit.aggregate(data, Dataset(stored, **beside, rounds=(shard.rows,)))
    return data


def _row_bytes(kit: Kit) -> int:
    """Returns an upper bound for the bytes of a row."""
    return 2 * kit.env.observation.obs[:1].nbytes + 16 * kit.env.action_space.size + 4096


def _check_rows(path: Path, columns: Mapping[str, Stored], kit: Kit) -> None:
    """Checks shapes, dtypes and labels: hashes do not make untrusted rows safe to index by."""
    obs, space = kit.env.observation.obs, kit.env.action_space
    kinds = {
        "obs": (obs.shape[1:], obs.dtype),
        "steps": ((), np.dtype(np.int64)),
        "labels": (space.shape, np.dtype(space.dtype)),
    }
    for name, (shape, dtype) in kinds.items():
        column = columns[name]
        if column.shape[1:] != shape or column.dtype != dtype:
            raise CheckpointError(
                f"{path} contains '{name}' as {column.dtype} of shape {column.shape[1:]}, but this "
                f"environment has {dtype} of shape {shape}"
            )
    if not space.contains(np.asarray(columns["labels"])):
        raise CheckpointError(f"{path} contains labels that are not actions")
