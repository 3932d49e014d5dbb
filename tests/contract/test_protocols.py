"""The checks of dagger_cli.testing, on toy components and on all fast real ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.policies import Mixture
from dagger_cli.core.schedules import (
    Constant,
    Exponential,
    Indicator,
    Inverse,
    Linear,
    Progress,
    Table,
)
from dagger_cli.core.types import Space
from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.bundled import Bundled
from dagger_cli.experts.heuristic import Heuristic
from dagger_cli.experts.python import Python
from dagger_cli.loggers.csv_logger import CsvLogger
from dagger_cli.loggers.run_folder import ConsoleLogger, JsonlLogger, TensorBoardLogger
from dagger_cli.policies.glyphs import glyphs_learner
from dagger_cli.policies.ridge import RidgeLearner
from dagger_cli.policies.scene import scene_learner
from dagger_cli.policies.sources import cnn_learner
from dagger_cli.policies.svm import SvmLearner
from dagger_cli.policies.torch_learner import TorchLearner
from dagger_cli.testing import (
    check_env,
    check_expert,
    check_learner,
    check_logger,
    check_policy,
    check_schedule,
    check_trainer,
)
from dagger_cli.testing.drawing import draw
from tests import toys
from tests.handwriting.conftest import source as letters
from tests.policies.learners import BOX, CHOICE, INF, OBS, SWITCHES, learner
from tests.unit.reductions import TRAINERS

IMAGES = Space("box", (36, 36, 1), "uint8", (0.0,) * 1296, (255.0,) * 1296)
CARTPOLE = Space("box", (4,), "float32", (-INF,) * 4, (INF,) * 4)
LANDER = Space("box", (8,), "float32", (-INF,) * 8, (INF,) * 8)
ENGINES = Space("discrete", (), "int64", sizes=(4,))
THRUSTS = Space("box", (2,), "float32", (-1.0,) * 2, (1.0,) * 2)
LETTERS = Space("box", (2 * 16 + 2 * 3,), "uint8", (0.0,) * 38, (1.0,) * 38)
LABELS = Space("discrete", (), "int64", sizes=(3,))
LEFT_RIGHT = Space("discrete", (), "int64", sizes=(2,))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


SCHEDULES = [
    *(Indicator(by) for by in ("round", "labels")),
    *(Linear(1.0, 0.0, 4, by) for by in ("round", "labels")),
    *(Exponential(0.5, by) for by in ("round", "labels")),
    *(Inverse(2.0, by) for by in ("round", "labels")),
    *(Table((1.0, 0.3, 0.0), by) for by in ("round", "labels")),
    Constant(0.25),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
class TestSchedule:
    def test_is_a_probability_at_every_point_of_a_run(self, schedule):
        check_schedule(schedule)

    def test_never_rises_here_and_is_a_function_of_progress_alone(self, schedule):
        points = [Progress(done, 10, done / 10) for done in range(11)]
        betas = [schedule(point) for point in points]
        assert betas == sorted(betas, reverse=True)
        assert [schedule(point) for point in reversed(points)] == betas[::-1]

    def test_by_round_and_by_labels_agree_when_rounds_are_equal(self, schedule):
        if not hasattr(schedule, "by"):
            pytest.skip("a constant has no clock")
        other = dataclasses.replace(schedule, by="labels" if schedule.by == "round" else "round")
        for done in range(8):
            progress = Progress(done, 8, done / 8)
            assert schedule(progress) == pytest.approx(other(progress))

    def test_is_a_value(self, schedule):
        assert dataclasses.replace(schedule) == schedule and hash(schedule) is not None


STATES = toys.TrackEnv.observation_space
FIT = {
    "optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 8,
    "epochs": None, "gradient_steps": 2, "warm_start": True, "decay": False,
}  # fmt: skip


def svm(reduction: str) -> SvmLearner:
    return SvmLearner(
        observations=OBS, actions=CHOICE, reduction=reduction, decode="margins",
        regularization=1e-4, learning_rate=0.05, row_visits=300,
    )  # fmt: skip


def glyphs() -> TorchLearner:
    return glyphs_learner(
        LETTERS, LABELS, image=(4, 4), history=2, encoder="conv", code=4, sizes=[8], dropout=0.1,
        shift=1, loss="auto", threads=None, **FIT,
    )  # fmt: skip


LAYOUT = {"cells": 20, "flags": 6, "measures": 4, "things": 2, "thing_measures": 2}


def scene() -> TorchLearner:
    return scene_learner(
        LETTERS, SWITCHES, layout={**LAYOUT, "thing_flags": 2}, code=4, sizes=[8],
        unsafe_penalty=0.0, threads=None, **FIT,
    )  # fmt: skip


LEARNERS = {
    "mlp box": (learner(), OBS, BOX),
    "mlp choice": (learner(actions=CHOICE, loss="hinge"), OBS, CHOICE),
    "linear switches": (learner(actions=SWITCHES, sizes=[]), OBS, SWITCHES),
    "cnn choice": (
        cnn_learner(IMAGES, CHOICE, loss="auto", threads=None, **FIT),
        IMAGES,
        CHOICE,
    ),
    "svm pairs": (svm("all_pairs"), OBS, CHOICE),
    "svm rest": (svm("one_vs_rest"), OBS, CHOICE),
    "ridge": (RidgeLearner(observations=OBS, actions=BOX, regularization=1e-3), OBS, BOX),
    "glyphs": (glyphs(), LETTERS, LABELS),
    "scene": (scene(), LETTERS, SWITCHES),
    "table": (toys.TableLearner(), STATES, toys.TrackEnv.action_space),
}


@pytest.fixture(params=LEARNERS)
def learned(request):
    """(learner, observation space, action space, 20 labelled states)"""
    one, observations, actions = LEARNERS[request.param]
    rows = (draw(observations, 20), np.arange(20), draw(actions, 20))
    return one, observations, actions, Dataset(*rows, (20,))


def test_learner(learned):
    one, observations, actions, _ = learned
    check_learner(one, observations, actions)


def answer(obs):
    return int(obs[0] > 0)


def experts():
    table = toys.TableExpert()
    yield "table", table, STATES, toys.TrackEnv.action_space
    cartpole = Bundled(deterministic=True).load("CartPole-v1", CARTPOLE_REAL, LEFT_RIGHT)
    yield "bundled", cartpole, CARTPOLE, LEFT_RIGHT
    drawn = Bundled(deterministic=False).load("CartPole-v1", CARTPOLE_REAL, LEFT_RIGHT)
    yield "bundled, drawn", drawn, CARTPOLE, LEFT_RIGHT
    python = Python(target=f"{__name__}:answer", batched=False)
    yield "python", python.load("any", OBS, LEFT_RIGHT), OBS, LEFT_RIGHT
    for name, space in (("LunarLander-v3", ENGINES), ("LunarLanderContinuous-v3", THRUSTS)):
        yield name, Heuristic().load(name, LANDER, space), LANDER, space


def gym_source(env_id: str) -> GymSource:
    return GymSource(
        id=env_id, imports=None, kwargs={}, max_episode_steps=15, fresh_simulator=False,
        workers=0, failure="terminated", backend="gymnasium",
    )  # fmt: skip


CARTPOLE_REAL = gym_source("CartPole-v1").observation_space
EXPERTS = list(experts())
POLICIES = [
    *EXPERTS,
    ("table policy", toys.Table((0, 1, 1, 0, 1)), STATES, toys.TrackEnv.action_space),
    ("mixture", Mixture((EXPERTS[1][1], EXPERTS[2][1]), (0.5, 0.5)), CARTPOLE, LEFT_RIGHT),
    *(
        (
            name,
            one.fit(Dataset(draw(o, 9), np.arange(9), draw(a, 9), (9,)), None, rng()).policy,
            o,
            a,
        )
        for name, (one, o, a) in LEARNERS.items()
    ),
]


@pytest.mark.parametrize(
    ("policy", "observations", "actions"),
    [pytest.param(*rest, id=name) for name, *rest in POLICIES],
)
def test_policy(policy, observations, actions):
    check_policy(policy, observations, actions)


@pytest.mark.parametrize(
    ("expert", "observations", "actions"),
    [pytest.param(*rest, id=name) for name, *rest in EXPERTS],
)
def test_expert(expert, observations, actions):
    check_expert(expert, observations, actions)


ENVS = {
    "toy": lambda n: toys.TrackEnv(n),
    "letters": lambda n: letters(history=2, before=1).open(n),
    "CartPole-v1": lambda n: gym_source("CartPole-v1").open(n),
    "MountainCarContinuous-v0": lambda n: gym_source("MountainCarContinuous-v0").open(n),
}


@pytest.mark.parametrize("name", ENVS)
def test_env(name):
    check_env(ENVS[name])


@pytest.mark.parametrize("name", TRAINERS)
def test_trainer(name):
    check_trainer(TRAINERS[name])


@pytest.mark.parametrize(
    "logger", [JsonlLogger(), TensorBoardLogger(), ConsoleLogger(), CsvLogger()]
)
def test_logger(logger):
    check_logger(logger)
