"""Loading of a policy from a checkpoint, and of the state of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import COLUMNS, Dataset
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.kit import Kit, Learner
from dagger_cli.core.serialization import unpack
from dagger_cli.core.state import State
from dagger_cli.core.types import Array, Card, Expert, Policy, Space
from dagger_cli.loop.run import Best
from dagger_cli.tracking.manifest import Manifest, read_manifest
from dagger_cli.tracking.run_paths import BEST, CHECKPOINTS, ENV, LAST, POLICY, follow, shard_path
from dagger_cli.tracking.safetensors_io import read_arrays


def load_policy(checkpoint: Path, learner: Learner, actions: Space) -> Policy:
    """Loads the policy of a checkpoint folder (see `resolve_checkpoint`) with space `actions`."""
    return unpack(_read(checkpoint, POLICY, read_manifest(checkpoint)), learner, actions)


def restore(run: Path, kit: Kit) -> tuple[State, Best]:
    """Returns the state of the run in this folder after its last saved round (`resolve_run`).

    Also restores the kit's random streams and environments, after everything is checked.
    """
    checkpoint = follow(run / CHECKPOINTS, LAST)
    manifest = read_manifest(checkpoint)
    _check_budget(run, manifest, kit.budget)
    _check_expert(run, manifest.expert, kit.expert)
    arrays = _read(checkpoint, POLICY, manifest)
    policy = unpack(arrays, kit.learner, kit.env.action_space)
    snapshot = _read(checkpoint, ENV, manifest)
    data = _read_aggregate(run / CHECKPOINTS, manifest, kit)
    follow(run / CHECKPOINTS, BEST)  # otherwise found missing only when the next round is saved
    try:
        kit.env.restore(snapshot)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as err:
        raise CheckpointError(
            f"{checkpoint / ENV} contains no state of these environments: {err!r}"
        ) from err
    try:
        kit.rng.load(manifest.rng)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as err:
        raise CheckpointError(f"{checkpoint} contains no valid random streams: {err!r}") from err
    return State(manifest.round, policy, data, manifest.usage, manifest.metrics), manifest.best


def changed_code(run: Path, card: Card) -> tuple[str, ...]:
    """Returns a note where the source code of the expert is not that of the saved rounds."""
    recorded = read_manifest(follow(run / CHECKPOINTS, LAST)).expert
    if not card.code or card.sha256 == recorded.sha256:
        return ()
    return (
        f"The code of {card.name} has changed since the last round: the labels so far are of the "
        "old code, later ones of the new.",
    )


def _read(checkpoint: Path, name: str, manifest: Manifest) -> dict[str, Array]:
    return read_arrays(checkpoint / name, manifest.files.get(name, ""), within=checkpoint)


def _read_aggregate(checkpoints: Path, manifest: Manifest, kit: Kit) -> Dataset | None:
    data = None
    for round, shard in enumerate(manifest.shards, start=1):
        path = shard_path(checkpoints, round)
        rows = read_arrays(path, shard.sha256, within=checkpoints)
        if any(column.shape[:1] != (shard.rows,) for column in rows.values()):
            raise CheckpointError(f"{path} does not contain the {shard.rows} rows of its round")
        columns: dict[str, Any] = {name: rows[name] for name in COLUMNS if name in rows}
        for name in COLUMNS[:3]:
            if name not in columns:
                raise CheckpointError(f"{path} contains no labelled states: no '{name}'")
        _check_rows(path, columns, kit)
        data = kit.aggregate(data, Dataset(**columns, rounds=(shard.rows,)))
    return data


def _check_rows(path: Path, columns: Mapping[str, Array], kit: Kit) -> None:
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
    if space.kind != "box":
        flat = columns["labels"].reshape(-1, len(space.sizes)).astype(np.int64) - space.start
        if ((flat < 0) | (flat >= np.array(space.sizes))).any():
            raise CheckpointError(f"{path} contains labels that are not actions")


def _check_expert(run: Path, recorded: Card, expert: Expert) -> None:
    """Raises CheckpointError for another expert; the source code of one may change."""
    own = expert.card
    # An agent is identified by its hash, wherever its file is.
    same = own.source == recorded.source if own.code else own.sha256 == recorded.sha256
    if not same:
        raise CheckpointError(
            f"{run} was labelled by '{recorded.name}' ({recorded.source}, sha256 "
            f"{recorded.sha256[:12]}), but its expert is now '{expert.card.name}' "
            f"({expert.card.source}, sha256 {expert.card.sha256[:12]}): use the first one"
        )


def _check_budget(run: Path, manifest: Manifest, budget: Budget) -> None:
    if manifest.round > budget.rounds:
        raise CheckpointError(
            f"{run} has finished {manifest.round} rounds, but rounds={budget.rounds}: "
            f"resume it with rounds={manifest.round} or more"
        )
    for round, shard in enumerate(manifest.shards):
        if shard.share != budget.steps(round):
            raise CheckpointError(
                f"round {round + 1} of {run} had {shard.share} labels, but the budget now gives it "
                f"{budget.steps(round)}: keep the size of a round (for more rounds, raise rounds "
                "and keep steps_per_round, or raise labels in proportion)"
            )
