from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.loop.run import Observer
from dagger_cli.tracking.checkpoint import load_policy, resolve_checkpoint, resolve_resumed, restore
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.tensorboard import TensorBoard

from .toys import ToyEnv, ToyLearner, core_observers, fingerprint, make_kit, quiet, train, validate


def all_observers(folder: Path, kit: Kit, state: State) -> list[Observer]:
    folder.mkdir(exist_ok=True)
    console = Console(rounds=kit.budget.rounds, failure_name="falls", out=quiet())
    console.start([], round=state.round)
    board = TensorBoard(folder / "tb", round=state.round, labels=state.usage.labels)
    return [console, board, *core_observers(folder, kit, state)]


def test_restore_gives_back_what_was_saved(tmp_path: Path) -> None:
    state, best, kit = train(tmp_path, 3)
    again = make_kit(3, seed=99)
    restored, restored_best = restore(resolve_resumed(tmp_path), again)
    assert (restored.round, restored.usage, restored_best) == (3, state.usage, best)
    assert dict(restored.metrics) == dict(state.metrics)
    assert again.rng.save() == kit.rng.save()
    assert restored.data is not None and state.data is not None
    assert restored.data.rounds == state.data.rounds
    for old, new in zip(state.data.columns.values(), restored.data.columns.values(), strict=True):
        assert old.dtype == new.dtype and np.array_equal(old, new)
    assert state.policy is not None and restored.policy is not None
    packed, repacked = kit.learner.pack(state.policy), again.learner.pack(restored.policy)
    assert packed.keys() == repacked.keys()
    for name, array in packed.items():
        assert array.dtype == repacked[name].dtype and array.shape == repacked[name].shape
        assert np.array_equal(array, repacked[name])


def test_the_restored_aggregate_has_room_for_the_rounds_to_come(tmp_path: Path) -> None:
    train(tmp_path, 2)
    kit = make_kit(5)
    data = restore(resolve_resumed(tmp_path), kit)[0].data
    assert data is not None and len(data.obs.base) == kit.budget.total


def test_resuming_equals_never_having_stopped(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(whole, 6, observers=all_observers)
    train(parts, 2, observers=all_observers)
    train(parts, 3, resume=True, observers=all_observers)
    train(parts, 6, resume=True, observers=all_observers)
    assert fingerprint(parts, 6) == fingerprint(whole, 6)


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    train(tmp_path, 3)
    before = fingerprint(tmp_path, 3)
    train(tmp_path, 3, resume=True)
    assert fingerprint(tmp_path, 3) == before


def test_best_is_the_policy_that_scored_highest(tmp_path: Path) -> None:
    _, best, _ = train(tmp_path, 6)
    assert best is not None
    checkpoint = resolve_checkpoint(tmp_path)
    assert checkpoint.name == f"round_{best.round:04d}"
    assert validate(load_policy(checkpoint, ToyLearner(), ToyEnv.action_space)).mean == best.mean


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
def test_a_run_killed_at_any_access_to_the_disk_can_be_used_and_resumed(tmp_path: Path) -> None:
    here = Path(__file__).parent
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(here.parents[1]), str(here.parent)]),
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tracking.kills", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30  # accesses from resuming to the end of the next round
