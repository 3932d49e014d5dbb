"""Saves each round: the rows it labelled, then a checkpoint, then the links `best` and `last`.

The run counts as saved up to the round that `last` points to. This pointer is moved by one rename,
after everything it relies on; what an interrupted run left beyond it is removed on resume.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.kit import Kit
from dagger_cli.core.row_forms import file_columns
from dagger_cli.core.serialization import pack
from dagger_cli.core.state import State
from dagger_cli.core.types import Card
from dagger_cli.loop.run import Round
from dagger_cli.tracking.manifest import Manifest, Shard, read_manifest, write_manifest
from dagger_cli.tracking.pointers import has_rounds, point
from dagger_cli.tracking.run_paths import (
    AGGREGATE,
    BEST,
    CHECKPOINTS,
    ENV,
    LAST,
    PLAYED,
    POLICY,
    check_inside,
    round_name,
    round_of,
    shard_path,
)
from dagger_cli.tracking.safetensors_io import write_arrays
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import is_draft, new_folder


class CheckpointWriter:
    """Observer that keeps the best and the last checkpoint of the run in `folder`.

    `round` is the round that a resumed run continues from, whose state `restore` returns; what is
    there of later rounds is removed. Raises CheckpointError where a new run finds rounds.
    """

    def __init__(
        self, *, folder: Path, kit: Kit, config: Mapping[str, Any], card: Card, round: int = 0
    ) -> None:
        self._root, self._kit, self._config, self._card = folder / CHECKPOINTS, kit, config, card
        with writing(self._root):
            (self._root / AGGREGATE).mkdir(parents=True, exist_ok=True)
            check_inside(self._root / AGGREGATE, folder)
            self._shards = _tidy(self._root, round)
        self._acting = _policy_digest(self._root, round)

    def __call__(self, finished: Round) -> None:
        """Saves one round."""
        state = finished.state
        with writing(self._root):
            shards = (*self._shards, self._write_shard(state))
            self._acting = self._write_round(finished, shards)
            _move_pointers(self._root, best=finished.best.round, last=state.round)
        self._shards = shards

    def _write_shard(self, state: State) -> Shard:
        assert state.data is not None and len(state.data.rounds) == state.round
        newest = state.data.newest
        share = self._kit.budget.steps(state.round - 1)
        played = {f"{PLAYED}{name}": c for name, c in (state.data.played or {}).items()}
        # The policy that acted, by the digest of its file, and beta: what `dagger data` tells of.
        note = json.dumps({"policy": self._acting, "beta": state.metrics.get("train/beta")})
        path = shard_path(self._root, state.round)
        columns = {**file_columns(newest.stored), **newest.beside}
        sha256 = write_arrays(path, {**columns, **played}, note)
        return Shard(len(newest), share, sha256)

    def _write_round(self, finished: Round, shards: tuple[Shard, ...]) -> str:
        """Writes the checkpoint; returns the digest of its policy."""
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
        return files[POLICY]


def _tidy(root: Path, round: int) -> tuple[Shard, ...]:
    """Cleans the folder up to a round, 0 for a new run; returns the shards up to this round."""
    if round == 0:
        if has_rounds(root):
            raise CheckpointError(
                f"{root} already contains a run: resume it (resume=...) or choose another folder"
            )
        _prune(root, keep=())
        return ()
    manifest = read_manifest(check_inside(root / round_name(round), root))
    _move_pointers(root, best=manifest.best.round, last=round)
    for shard in (root / AGGREGATE).iterdir():
        if (round_of(shard) or 0) > round:
            shard.unlink()
    return manifest.shards


def _policy_digest(root: Path, round: int) -> str:
    """Returns the digest of a round's policy, empty before the first round."""
    if round == 0:
        return ""
    return read_manifest(check_inside(root / round_name(round), root)).files.get(POLICY, "")


def _move_pointers(root: Path, *, best: int, last: int) -> None:
    """Points to these two rounds, and removes the checkpoints of all others."""
    point(root, BEST, best)
    point(root, LAST, last)
    _prune(root, keep=(round_name(best), round_name(last)))


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
