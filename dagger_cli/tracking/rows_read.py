"""The rows of every round of a run as they were saved, for data sets of other programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dagger_cli.core.compact import row_bytes
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.types import Array
from dagger_cli.tracking.manifest import Manifest
from dagger_cli.tracking.run_paths import PLAYED, shard_path
from dagger_cli.tracking.safetensors_io import MAX_BYTES, read_arrays, read_note
from dagger_cli.tracking.shard_columns import columns_of


@dataclass(frozen=True)
class SavedRound:
    """Rows of a round (from 1): the learner's `columns`, and how they came about.

    `played` is empty in runs of before it was saved; so is `policy`, the digest of the policy that
    acted, in a first round. `beta` is nan where the trainer has none.
    """

    round: int
    columns: dict[str, Array]
    played: dict[str, Array]
    policy: str
    beta: float


def saved_rounds(checkpoints: Path, manifest: Manifest) -> list[SavedRound]:
    """Reads the rounds; raises CheckpointError where a file is not as recorded."""
    return [_saved(checkpoints, i + 1, shard.sha256) for i, shard in enumerate(manifest.shards)]


def _saved(checkpoints: Path, round: int, sha256: str) -> SavedRound:
    path = shard_path(checkpoints, round)
    arrays = read_arrays(path, sha256, within=checkpoints)
    stored, beside = columns_of(path, arrays)
    if len(stored) * row_bytes(stored) > MAX_BYTES:
        raise CheckpointError(f"{path} contains more than {MAX_BYTES:,} bytes of observations")
    columns = {"obs": np.asarray(stored), **beside}
    played = {
        name.removeprefix(PLAYED): column
        for name, column in arrays.items()
        if name.startswith(PLAYED)
    }
    policy, beta = _noted(read_note(path))
    return SavedRound(round, columns, played, policy, beta)


def _noted(note: str) -> tuple[str, float]:
    """Returns the policy's digest and beta; nothing is believed of a note that is not ours."""
    try:
        node = json.loads(note or "{}")
        beta = node.get("beta")
        return str(node.get("policy", ""))[:64], np.nan if beta is None else float(beta)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "", np.nan
