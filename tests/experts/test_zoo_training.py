"""`expert=train`: the training command, the model that is kept, resumption when stopped."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from trusted import space_of

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts import train as source
from dagger_cli.experts.sb3 import zoo_training
from dagger_cli.experts.sb3.zoo_training import Plan, best_of, command, tuned_steps
from dagger_cli.experts.train import Train

CART = "CartPole-v1"
PLAN = Plan(CART, "ppo", 3, 1000)


def spaces() -> Any:
    env = gymnasium.make(CART)
    return space_of(env.observation_space), space_of(env.action_space)


def lay_down(run: Path, means: list[float], archive: Path) -> None:
    """What rl_zoo3 leaves of a training whose evaluations had these means."""
    (run / CART).mkdir(parents=True)
    for name in ("best_model.zip", f"{CART}.zip"):
        shutil.copy(archive, run / name)
    (run / CART / "args.yml").write_text(f"env: {CART}\n")
    (run / CART / "config.yml").write_text("policy: MlpPolicy\n")
    results = np.array([[mean - 1, mean + 1] for mean in means])
    np.savez(run / "evaluations.npz", results=results, timesteps=np.arange(len(means)))


@pytest.fixture
def archive(hub_folder: Path) -> Path:
    return hub_folder / "ppo-CartPole-v1" / "ppo-CartPole-v1.zip"


def test_tuned_steps_are_rl_zoos() -> None:
    assert tuned_steps("ppo", CART) == 100_000
    assert tuned_steps("a2c", "BipedalWalker-v3") == 5_000_000
    with pytest.raises(ExpertError, match=r"of sac for 'CartPole-v1'; use expert.algo=a2c\|"):
        tuned_steps("sac", CART)


def test_the_best_of_all_evaluations_is_kept(tmp_path: Path, archive: Path) -> None:
    for n, means in enumerate([[10, 90, 20], [30, 60, 50]], start=1):
        lay_down(tmp_path / "ppo" / f"{CART}_{n}", means, archive)
    chosen = best_of(PLAN, tmp_path)
    assert (chosen.name, chosen.score) == ("best", (90.0, 1.0))
    assert chosen.files.archive == tmp_path / "ppo" / f"{CART}_1" / "best_model.zip"
    with pytest.raises(ExpertError, match="left no model"):
        best_of(PLAN, tmp_path / "nothing")


def test_statistics_belong_to_their_model(tmp_path: Path, archive: Path) -> None:
    run = tmp_path / "ppo" / f"{CART}_1"
    lay_down(run, [10, 20, 15], archive)
    (run / "best").mkdir()
    for place in ("best", CART):
        (run / place / "vecnormalize.pkl").write_bytes(place.encode())
    found = {c.name: c.files.statistics for c in zoo_training.candidates(run, CART)}
    assert found["best"].read_bytes() == b"best" and found["last"].read_bytes() == CART.encode()


class Ran(Exception):
    pass


def test_training_goes_on_from_its_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "ppo" / f"{CART}_1"
    run.mkdir(parents=True)
    for steps in (200, 600):
        (run / f"rl_model_{steps}_steps.zip").write_text(str(steps))
        (run / f"rl_model_vecnormalize_{steps}_steps.pkl").write_text(f"v{steps}")
    seen = []

    def fake(words: list[str], **_: Any) -> Any:
        seen.append(words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(subprocess, "run", fake)
    zoo_training.train(PLAN, tmp_path, progress=False)
    (words,) = seen
    assert words[words.index("-n") + 1] == "400"
    start = Path(words[words.index("-i") + 1])
    assert start.read_text() == "600"
    assert (start.parent / CART / "vecnormalize.pkl").read_text() == "v600"


def test_a_failed_training_says_why_and_where(tmp_path: Path, monkeypatch: Any) -> None:
    def fake(words: list[str], stdout: Any, **_: Any) -> Any:
        stdout.write(b"Traceback ...\nValueError: no such thing\n")
        return subprocess.CompletedProcess(words, 1)

    monkeypatch.setattr(subprocess, "run", fake)
    with pytest.raises(ExpertError, match=r"ValueError: no such thing \(full log: .*output.txt"):
        zoo_training.train(PLAN, tmp_path, progress=False)


def test_trained_once_then_taken_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: Path, capsys: Any
) -> None:
    monkeypatch.setenv("DAGGER_CACHE", str(tmp_path))

    def fake(plan: Plan, logs: Path, *, progress: bool) -> None:
        lay_down(logs / "ppo" / f"{CART}_1", [400, 480], archive)

    monkeypatch.setattr(source, "train", fake)
    expert = Train(algo="ppo", seed=3, steps=None, deterministic=True)
    first = expert.load(CART, *spaces())
    assert "training ppo for CartPole-v1: 100,000 steps" in capsys.readouterr().err
    assert first.card.published == (480.0, 1.0)
    folder = tmp_path / "experts" / CART
    names = {path.name for path in folder.iterdir()}
    assert names == {"ppo_seed3.safetensors", "ppo_seed3.json"}

    monkeypatch.setattr(source, "train", lambda *_, **__: pytest.fail("trained again"))
    assert expert.load(CART, *spaces()).card.sha256 == first.card.sha256
    assert capsys.readouterr().err == ""
    assert list(source.trained_agents(CART)) == [("ppo", 3, folder / "ppo_seed3")]
    with pytest.raises(pytest.fail.Exception):
        Train(algo="ppo", seed=4, steps=None, deterministic=True).load(CART, *spaces())


@pytest.mark.slow
def test_a_real_training_is_stopped_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A2C normalises MountainCar, so statistics must travel with the checkpoints."""
    env_id = "MountainCar-v0"
    plan, logs = Plan(env_id, "a2c", 0, 4000), tmp_path / "logs"
    words = ["-n", "2000", "--save-freq", "1000", "--eval-freq", "-1", "--verbose", "0"]
    subprocess.run(command(plan, logs, words), check=True, capture_output=True, timeout=200)
    (run,) = zoo_training.run_folders(plan, logs)
    (run / f"{env_id}.zip").unlink()  # as if it had been killed before its end
    assert sorted(run.glob("rl_model_*_steps.zip")) and list(run.glob("*vecnormalize*"))
    zoo_training.train(plan, logs, progress=False)
    assert len(zoo_training.run_folders(plan, logs)) == 2
    chosen = best_of(plan, logs)
    assert chosen.files.statistics is not None and chosen.score is not None
    monkeypatch.setenv("DAGGER_CACHE", str(tmp_path))
    monkeypatch.setattr(source, "train", lambda p, to, progress: shutil.copytree(logs, to))
    env = gymnasium.make(env_id)
    both = space_of(env.observation_space), space_of(env.action_space)
    expert = Train(algo="a2c", seed=0, steps=4000, deterministic=True).load(env_id, *both)
    assert expert.card.details["steps"] == 4000 and sys.modules.get("gym") is None
