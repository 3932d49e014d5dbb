"""A world of two numbers, its expert, a learner that needs everything a checkpoint keeps."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from rich.console import Console as RichConsole

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.kit import Kit, RngStreams
from dagger_cli.core.schedules import Linear
from dagger_cli.core.state import State
from dagger_cli.core.types import Acts, Array, Card, Fitted, Observation, Policy, Score, Space, Step
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import Best, Observer, run
from dagger_cli.loop.validate import Validation
from dagger_cli.tracking.checkpoint import CheckpointWriter, resolve_resumed, restore
from dagger_cli.tracking.metrics import MetricsFile
from dagger_cli.trainers.dagger import DAgger

HORIZON = 7
CARD = Card("toy", "made here", "0" * 64, (1.5, float("inf")), ("a note",), {"epochs": 3})
CONFIG = {"env": {"id": "toy", "clip": float("inf")}, "seed": 0, "sizes": [64, 64]}


class ToyEnv:
    """A point pushed around by a wave; it falls beyond 1.5."""

    observation_space = Space("box", (2,), "float32", (-2.0, 0.0), (2.0, 1.0))
    action_space = Space("box", (1,), "float32", (-1.0,), (1.0,))

    def __init__(self, n_envs: int) -> None:
        self.n_envs = n_envs
        self._x = np.zeros(n_envs)
        self._steps, self._seeds = np.zeros(n_envs, np.int64), np.zeros(n_envs, np.int64)

    @property
    def observation(self) -> Observation:
        return Observation(
            np.stack((self._x, self._steps / HORIZON), 1).astype(np.float32), self._steps
        )

    def reset(self, slots: Array, seeds: Array) -> None:
        self._x[slots], self._steps[slots] = (seeds % 997) / 997 - 0.5, 0
        self._seeds[slots] = seeds

    def step(self, slots: Array, actions: Array) -> Step:
        self._steps[slots] += 1
        self._x[slots] += actions[:, 0] + 0.3 * np.sin(self._seeds[slots] + self._steps[slots])
        fell = np.abs(self._x[slots]) > 1.5
        over = ~fell & (self._steps[slots] >= HORIZON)
        return Step(-np.abs(self._x[slots]), fell, over, fell)

    def snapshot(self) -> Mapping[str, Array]:
        return {"x": self._x, "steps": self._steps, "seeds": self._seeds, "on": self._x > 0}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        self._x, self._steps = snapshot["x"].copy(), snapshot["steps"].copy()
        self._seeds = snapshot["seeds"].copy()
        assert np.array_equal(snapshot["on"], self._x > 0)

    def close(self) -> None:
        pass


class ToyExpert:
    card = CARD

    def act(self, observation: Observation, rng: Generator) -> Acts:
        return Acts(-observation.obs[:, :1], np.ones(len(observation), bool))


@dataclass(frozen=True)
class Linear2:
    weights: Array  # (1, 2), laid out column by column
    fits: int

    def act(self, observation: Observation, rng: Generator) -> Acts:
        noise = 0.01 * rng.standard_normal((len(observation), 1))
        actions = (observation.obs @ self.weights.T + noise).astype(np.float32)
        return Acts(actions, np.zeros(len(observation), bool))


class ToyLearner:
    """Least squares that keeps half of what it had and is a little random."""

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        solved = np.linalg.lstsq(data.obs.astype(float), data.labels.astype(float), rcond=None)[0].T
        old, fits = (start.weights, start.fits) if isinstance(start, Linear2) else (solved, 0)
        weights = np.asfortranarray((old + solved) / 2 + 0.05 * rng.standard_normal(solved.shape))
        loss = float(((data.obs @ weights.T - data.labels) ** 2).mean())
        return Fitted(Linear2(weights, fits + 1), loss)

    def loss(self, policy: Policy, data: Dataset) -> float:
        assert isinstance(policy, Linear2)
        return float(((data.obs @ policy.weights.T - data.labels) ** 2).mean())

    def pack(self, policy: Policy) -> dict[str, Array]:
        assert isinstance(policy, Linear2)
        return {
            "weights": np.stack((policy.weights, policy.weights), axis=-1).T,
            "fits": np.array(policy.fits),
            "mask": np.array([True, False]),
            "ready": np.array(True),
            "empty": np.zeros((0, 3), np.float32),
        }

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        try:
            return Linear2(np.asfortranarray(arrays["weights"][0].T), int(arrays["fits"]))
        except KeyError as err:
            raise CheckpointError(f"not a toy policy: no {err}") from err


def make_kit(rounds: int, *, seed: int = 0, steps: int = 30) -> Kit:
    return Kit(
        ToyEnv(4), ToyExpert(), ToyLearner(), Budget(rounds, steps, None), RngStreams.spawn(seed)
    )


def validate(policy: Policy) -> Score:
    return evaluate(ToyEnv(3), policy, range(5), np.random.default_rng(0))


def quiet() -> RichConsole:
    return RichConsole(file=io.StringIO(), width=80)


def core_observers(folder: Path, kit: Kit, state: State) -> list[Observer]:
    folder.mkdir(exist_ok=True)
    return [
        MetricsFile(folder / "metrics.jsonl", round=state.round),
        CheckpointWriter(folder=folder, kit=kit, config=CONFIG, card=CARD, round=state.round),
    ]


def train(
    folder: Path,
    rounds: int,
    *,
    resume: bool = False,
    observers: Callable[[Path, Kit, State], list[Observer]] = core_observers,
) -> tuple[State, Best | None, Kit]:
    """Run, or resume, up to `rounds` rounds."""
    kit, trainer = make_kit(rounds), DAgger(Linear(1.0, 0.0, 4.0, "round"), "step", "aggregate")
    if resume:
        state, best = restore(resolve_resumed(folder), kit)
    else:
        begin(kit)
        state, best = trainer.start(kit), None
    watching = observers(folder, kit, state)
    validation = Validation(ToyEnv(3), ToyExpert(), range(5), seed=0, queries=20)
    return *run(trainer, kit, state, best, validation, 0.01, watching), kit


def fingerprint(folder: Path, rounds: int) -> dict[str, Any]:
    """Everything that must not depend on interruptions, as read back from the disk."""
    kit = make_kit(rounds)
    state, best = restore(resolve_resumed(folder), kit)
    assert state.data is not None and state.policy is not None
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    metrics = [{k: v for k, v in json.loads(line).items() if "time/" not in k} for line in lines]
    checkpoints = folder / "checkpoints"
    arrays = {**kit.learner.pack(state.policy), **kit.env.snapshot()}
    arrays |= {f"data.{name}": column for name, column in state.data.columns.items()}
    return {
        "arrays": {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()},
        "rounds": state.data.rounds,
        "state": (state.round, state.usage, dict(state.metrics), best),
        "rng": kit.rng.save(),
        "metrics": metrics,
        "files": sorted(str(p.relative_to(checkpoints)) for p in checkpoints.rglob("*")),
        "links": {name: (checkpoints / name).readlink().name for name in ("best", "last")},
    }
