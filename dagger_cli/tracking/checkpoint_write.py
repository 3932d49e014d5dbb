"""Saves each round: the rows it labelled, then a checkpoint, then the links `best` and `last`.

The run counts as saved up to the round that `last` points to. This link is moved by one rename,
after everything it relies on; what an interrupted run left beyond it is removed on resume.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.kit import Kit
from dagger_cli.core.serialization import pack
from dagger_cli.core.state import State
from dagger_cli.core.types import Card
from dagger_cli.loop.run import Round
from dagger_cli.tracking.manifest import Manifest, Shard, read_manifest, write_manifest
from dagger_cli.tracking.run_paths import (
    AGGREGATE,
    BEST,
    CHECKPOINTS,
    ENV,
    LAST,
    POLICY,
    follow,
    round_name,
    round_of,
    shard_path,
)
from dagger_cli.tracking.safetensors_io import write_arrays
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import is_draft, new_folder, replace_link


class CheckpointWriter:
    """Observer that keeps the best and the last checkpoint of the run in `folder`.

    A resumed run continues from the state that `restore` returns.
    """

    def __init__(self, *, folder: Path, kit: Kit, config: Mapping[str, Any], card: Card) -> None:
        self._root, self._kit, self._config, self._card = folder / CHECKPOINTS, kit, config, card
        with writing(self._root):
            (self._root / AGGREGATE).mkdir(parents=True, exist_ok=True)
            self._shards = _tidy(self._root)

    def __call__(self, finished: Round) -> None:
        """Saves one round."""
        state = finished.state
        if state.round != len(self._shards) + 1:
            raise CheckpointError(
                f"{self._root} already contains a run of {len(self._shards)} rounds: resume it "
                "(resume=...) or choose another folder"
            )
        with writing(self._root):
            shards = (*self._shards, self._write_shard(state))
            self._write_round(finished, shards)
            keep = {LAST: round_name(state.round), BEST: round_name(finished.best.round)}
            replace_link(self._root / BEST, keep[BEST])
            replace_link(self._root / LAST, keep[LAST])
            _prune(self._root, keep.values())
        self._shards = shards

    def _write_shard(self, state: State) -> Shard:
        assert state.data is not None and len(state.data.rounds) == state.round
        newest = state.data.newest
        share = self._kit.budget.steps(state.round - 1)
        sha256 = write_arrays(shard_path(self._root, state.round), newest.columns)
        return Shard(len(newest), share, sha256)

    def _write_round(self, finished: Round, shards: tuple[Shard, ...]) -> None:
        state, kit = finished.state, self._kit
        assert state.policy is not None
        with new_folder(self._root / round_name(state.round)) as folder:
            files = {
                POLICY: write_arrays(folder / POLICY, pack(state.policy, kit.learner)),
                ENV: write_arrays(folder / ENV, kit.env.snapshot()),
            }
            manifest = Manifest(
                round=state.round,
                usage=state.usage,
                best=finished.best,
                metrics=state.metrics,
                rng=kit.rng.save(),
                expert=self._card,
                config=self._config,
                shards=shards,
                files=files,
            )
            write_manifest(folder, manifest)


def _tidy(root: Path) -> tuple[Shard, ...]:
    """Cleans the folder up to the round that `last` points to; returns that round's shards."""
    last = root / LAST
    if not last.is_symlink():
        _refuse_a_copy_without_links(root)
        _prune(root, keep=())
        return ()
    manifest = read_manifest(follow(root, LAST))
    best = round_name(manifest.best.round)
    replace_link(root / BEST, best)
    _prune(root, keep=(round_name(manifest.round), best))
    for shard in (root / AGGREGATE).iterdir():
        if (round_of(shard) or 0) > manifest.round:
            shard.unlink()
    return manifest.shards


def _refuse_a_copy_without_links(root: Path) -> None:
    # A run interrupted in its first round leaves round 1 at most; more is other people's data.
    later = [entry for entry in root.iterdir() if (round_of(entry) or 0) > 1]
    if later or (root / LAST).exists():
        raise CheckpointError(
            f"{root} contains checkpoints, but {LAST} is not a symbolic link as it was written: "
            "copy the run again with its links kept (cp -a)"
        )


def _prune(root: Path, keep: Collection[str]) -> None:
    """Removes all other checkpoints and the files of interrupted writes."""
    for entry in root.iterdir():
        stale = round_of(entry) is not None and entry.name not in keep
        if stale or is_draft(entry):
            _remove(entry)
    for entry in (root / AGGREGATE).iterdir():
        if is_draft(entry):
            _remove(entry)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
