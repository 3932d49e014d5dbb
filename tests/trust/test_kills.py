"""A run that is killed at any access to the disk continues to the same result."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from .running import TINY, Commands

WORDS = ("train", *TINY, "rounds=3")


def fingerprint(run: Path) -> dict[str, Any]:
    """Everything that must not depend on interruptions."""
    checkpoints = run / "checkpoints"
    found: dict[str, Any] = {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted(checkpoints.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    found |= {name: (checkpoints / name).readlink() for name in ("best", "last")}
    lines = (run / "metrics.jsonl").read_text().splitlines()
    found["metrics"] = [
        {key: value for key, value in json.loads(line).items() if "time/" not in key}
        for line in lines
    ]
    summary = json.loads((run / "summary.json").read_text())
    found["summary"] = {k: v for k, v in summary.items() if k not in ("wall_seconds", "commands")}
    found["config"] = (run / "config.yaml").read_text()
    found["names"] = sorted(
        str(path.relative_to(run)) for path in run.rglob("*") if path.parent.name != "tb"
    )
    found["events"] = events(run / "tb")
    return found


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Scalars as TensorBoard shows them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    shown.Reload()
    tags = [tag for tag in shown.Tags()["scalars"] if not tag.startswith("time/")]
    return {tag: [(e.step, e.value) for e in shown.Scalars(tag)] for tag in tags}


@pytest.fixture(scope="module")
def whole(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("whole")
    done = commands.run([*WORDS, "hydra.run.dir=run"], cwd)
    assert done.code == 0, done.err
    return cwd / "run"


def test_kill_and_resume(
    commands: Commands, whole: Path, tmp_path: Path, seed: int, scale: float
) -> None:
    expected, rng, run = fingerprint(whole), random.Random(seed), tmp_path / "run"
    kills, last = 0, 150
    for _ in range(int(5 * scale)):
        shutil.rmtree(run, ignore_errors=True)
        at: list[int | None] = [rng.randrange(last) for _ in range(rng.randint(1, 3))]
        history = []
        for kill_at in [*at, None]:
            resumed = (run / "checkpoints" / "last").is_symlink()
            words = ["train", "resume=run"] if resumed else [*WORDS, "hydra.run.dir=run"]
            done = commands.run(words, tmp_path, kill_at=kill_at, kill_in="run")
            history.append((words[1], kill_at, done.code))
            assert done.code in (0, -9), (seed, history, done.err)
            kills += done.code == -9
            if done.code == 0:
                break
        assert fingerprint(run) == expected, (seed, history)
    assert kills >= int(2 * scale)
    print(f"{kills} kills")
