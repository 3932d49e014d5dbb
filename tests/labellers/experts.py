"""Experts that workers load: functions for expert=python, and sources."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dagger_cli.core.types import Acts, Card, Observation, Space
from dagger_cli.experts.python import Python

BOX = Space("box", (2,), "float32", (-1.0, -1.0), (1.0, 1.0))
CART = Space("box", (4,), "float32", (-9.0,) * 4, (9.0,) * 4)
CHOICE = Space("discrete", (), "int64", sizes=(2,))


def steer(obs):
    return np.tanh(obs[:2] * obs[2:]).astype(np.float64)


def balance(obs):
    return int(obs[2] + 0.5 * obs[3] > 0)


def slow(obs):
    time.sleep(0.002)
    return balance(obs)


def fails(obs):
    if obs[0] >= 5:
        raise ValueError(f"row {int(obs[0])} is too far away")
    return 0


def hangs(obs):
    time.sleep(60 * (obs[0] >= 5))
    return 0


IN_TEST = False  # a test sets it in its own process, not in the workers


def dies(obs):
    """Kills the process that answers row 5, if it is a worker."""
    if obs[0] == 5 and not IN_TEST:
        os.kill(os.getpid(), signal.SIGKILL)
    return int(obs[0]) % 2


def dies_once(obs):
    """The same, but only for the first time, which a file in the current folder records."""
    if obs[0] == 5 and not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return int(obs[0]) % 2


def together(obs):
    return (obs[:, 0] > 0).astype(int)


def by_rows(obs):
    return together(obs)


by_rows.rowwise = True
_asked = [0]


def forgetful(obs):
    _asked[0] += 1
    return _asked[0] % 2


def loader(name, **settings):
    """A function that loads the expert of this name, as config/labelling.py makes it."""
    return Loader(name, tuple(settings.items()))


@dataclass(frozen=True)
class Loader:
    name: str
    settings: tuple

    def __call__(self):
        actions = BOX if self.name == "steer" else CHOICE
        keys = {"batched": False, **dict(self.settings)}
        return Python(f"tests.labellers.experts:{self.name}", **keys).load("toy", CART, actions)


def rows(n: int) -> Observation:
    """n observations whose first number is the row."""
    obs = np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32)
    obs[:, 0] = np.arange(n)
    return Observation(obs, np.arange(n))


@dataclass(frozen=True)
class Drawing:
    """Source of an expert that draws from the random stream."""

    def load(self, env_id, observation_space, action_space):
        return DrawingExpert()


class DrawingExpert:
    card = Card("drawing", "tests", "0")

    def act(self, observation, rng):
        return Acts(rng.integers(0, 2, len(observation)), np.ones(len(observation), bool))

    def unsafe_actions(self, observation):
        return observation.obs > 0


class LoadsElsewhere:
    """A worker's expert has another digest, as from another version of a file."""

    def __call__(self):
        expert = DrawingExpert()
        expert.card = Card("drawing", "tests", str(os.getpid()))
        return expert


class CannotLoad:
    def __call__(self):
        os.kill(os.getpid(), signal.SIGKILL)
