"""Loading of a policy from a checkpoint, and of the state of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.kit import Kit, Learner
from dagger_cli.core.serialization import unpack
from dagger_cli.core.state import State
from dagger_cli.core.types import Array, Card, Expert, Policy, Space
from dagger_cli.loop.run import Best
from dagger_cli.tracking.aggregate_read import read_aggregate
from dagger_cli.tracking.manifest import Manifest, read_manifest
from dagger_cli.tracking.pointers import follow
from dagger_cli.tracking.run_paths import BEST, ENV, POLICY, shard_path
from dagger_cli.tracking.safetensors_io import check_hash, read_arrays
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.quoting import hydra_value, shell_joined


def load_policy(checkpoint: Path, learner: Learner, actions: Space) -> Policy:
    """Loads the policy of a checkpoint folder (see `resolve_checkpoint`) with space `actions`."""
    return unpack(_read(checkpoint, POLICY, read_manifest(checkpoint)), learner, actions)


def restore(checkpoint: Path, kit: Kit) -> tuple[State, Best]:
    """Returns the state of a run after the round of this checkpoint (`resolve_resumed`).

    Also restores the kit's random streams and environments, after everything is checked. Raises
    CheckpointError for damaged files, and where the budget or the expert is another one.
    """
    run = checkpoint.parent.parent
    with offering_best(checkpoint):
        manifest = read_manifest(checkpoint)
        _check_budget(run, manifest, kit.budget)
        _check_expert(run, manifest.expert, kit.expert)
        arrays = _read(checkpoint, POLICY, manifest)
        policy = unpack(arrays, kit.learner, kit.env.action_space)
        snapshot = _read(checkpoint, ENV, manifest)
        data = read_aggregate(checkpoint.parent, manifest, kit)
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


@contextmanager
def offering_best(checkpoint: Path) -> Iterator[None]:
    """Names the best round in a CheckpointError of the block, where that round is undamaged."""
    try:
        yield
    except CheckpointError as err:
        best = _undamaged_best(checkpoint)
        if best is None:
            raise
        word = f"resume={hydra_value(shown_path(best.parent.parent / BEST))}"
        raise CheckpointError(
            f"{err}; the best round ({best.name}) is undamaged: "
            f"{shell_joined([word])} continues from it"
        ) from err


def _undamaged_best(checkpoint: Path) -> Path | None:
    """Returns the checkpoint of the best round if it is another one and can be continued from."""
    try:
        best = follow(checkpoint.parent, BEST)
        manifest = read_manifest(best)
        for name, sha256 in manifest.files.items():
            check_hash(best / name, sha256, within=best)
        for round, shard in enumerate(manifest.shards, start=1):
            check_hash(shard_path(best.parent, round), shard.sha256, within=best.parent)
    except CheckpointError:
        return None
    return None if best == checkpoint.resolve() else best


def changed_code(checkpoint: Path, card: Card) -> tuple[str, ...]:
    """Returns a note where the source code of the expert is not that of the saved rounds."""
    recorded = read_manifest(checkpoint).expert
    if not card.code or card.sha256 == recorded.sha256:
        return ()
    return (
        f"The code of {card.name} has changed since the last round: the labels so far are of the "
        "old code, later ones of the new.",
    )


def _read(checkpoint: Path, name: str, manifest: Manifest) -> dict[str, Array]:
    return read_arrays(checkpoint / name, manifest.files.get(name, ""), within=checkpoint)


def _check_expert(run: Path, recorded: Card, expert: Expert) -> None:
    """Raises CheckpointError for another expert; the source code of one may change."""
    own = expert.card
    # An agent is identified by its hash, wherever its file is; older runs have only the file's.
    pairs = own.network, recorded.network
    mine, theirs = pairs if all(pairs) else (own.sha256, recorded.sha256)
    same = own.source == recorded.source if own.code else mine == theirs
    if not same:
        beside = ", with other statistics or settings" if own.sha256 == recorded.sha256 else ""
        raise CheckpointError(
            f"{run} was labelled by '{recorded.name}' ({recorded.source}, sha256 "
            f"{recorded.sha256[:12]}), but its expert is now '{own.name}' ({own.source}, sha256 "
            f"{own.sha256[:12]}{beside}): use the first one"
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
