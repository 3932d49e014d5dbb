"""One suite per Protocol, run on the toys of the tests and on every real thing that is cheap."""

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
from dagger_cli.core.types import Observation, Space
from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.bundled import Bundled
from dagger_cli.experts.heuristic import Heuristic
from dagger_cli.experts.python import Python
from dagger_cli.policies.glyphs import glyphs_learner
from dagger_cli.policies.scene import scene_learner
from dagger_cli.policies.sources import cnn_learner
from dagger_cli.policies.svm import SvmLearner
from dagger_cli.policies.torch_learner import TorchLearner
from tests import toys
from tests.handwriting.conftest import source as letters
from tests.policies.learners import BOX, CHOICE, INF, OBS, SWITCHES, equal, learner

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


def draw(space: Space, n: int, seed: int = 0) -> np.ndarray:
    """n elements of a space; open sides are taken as 3 away."""
    if space.kind == "box":
        low, high = (
            np.maximum(space.low, -3.0),
            np.minimum(space.high, 3.0 if INF in space.high else INF),
        )
        flat = rng(seed).uniform(low, high, (n, space.size))
    else:
        flat = rng(seed).integers(0, space.sizes, (n, len(space.sizes))) + space.start
    return flat.reshape(n, *space.shape).astype(space.dtype)


def observation(space: Space, n: int, seed: int = 0) -> Observation:
    return Observation(draw(space, n, seed), np.arange(n))


def inside(space: Space, actions: np.ndarray) -> bool:
    flat = actions.reshape(len(actions), -1)
    if space.kind == "box":
        low, high = np.array(space.low, space.dtype), np.array(space.high, space.dtype)
        return bool(((low <= flat) & (flat <= high)).all())
    top = np.array(space.sizes) + space.start
    return bool(((space.start <= flat) & (flat < top)).all())


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
        for done in range(11):
            beta = schedule(Progress(done, 10, done / 10))
            assert isinstance(beta, float) and 0 <= beta <= 1

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


class TestLearner:
    def test_fits_a_policy_with_a_finite_loss(self, learned):
        one, observations, _, data = learned
        fitted = one.fit(data, None, rng())
        assert isinstance(fitted.loss, float) and np.isfinite(fitted.loss)
        assert len(fitted.policy.act(observation(observations, 3), rng()).actions) == 3

    def test_fits_the_same_by_the_same_chance(self, learned):
        one, _, _, data = learned
        a, b = one.fit(data, None, rng()), one.fit(data, None, rng())
        assert a.loss == b.loss and equal(one.pack(a.policy), one.pack(b.policy))

    def test_unpack_undoes_pack(self, learned):
        one, observations, _, data = learned
        policy = one.fit(data, None, rng()).policy
        packed = {name: array.copy() for name, array in one.pack(policy).items()}
        back = one.unpack(packed)
        assert equal(one.pack(back), packed)
        seen = observation(observations, 9, seed=1)
        assert np.array_equal(back.act(seen, rng()).actions, policy.act(seen, rng()).actions)

    def test_changes_neither_the_data_nor_where_it_starts(self, learned):
        one, observations, actions, data = learned
        before = [column.copy() for column in data.columns.values()]
        first = one.fit(data, None, rng()).policy
        kept = {name: array.copy() for name, array in one.pack(first).items()}
        other = Dataset(draw(observations, 20, 5), np.arange(20), draw(actions, 20, 6), (20,))
        one.fit(other, first, rng(1))
        assert equal(one.pack(first), kept)
        assert all(np.array_equal(a, b) for a, b in zip(before, data.columns.values(), strict=True))

    def test_fits_a_single_row(self, learned):
        one, _, _, data = learned
        single = data[:1]
        assert np.isfinite(one.fit(single, None, rng()).loss)


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
class TestPolicy:
    @pytest.mark.parametrize("n", [1, 7])
    def test_answers_every_row_in_the_action_spaces_own_terms(
        self, policy, observations, actions, n
    ):
        acts = policy.act(observation(observations, n), rng())
        assert acts.actions.shape == (n, *actions.shape)
        assert acts.actions.dtype == actions.dtype and inside(actions, acts.actions)
        assert acts.from_expert.shape == (n,) and acts.from_expert.dtype == bool

    def test_the_same_chance_the_same_answers(self, policy, observations, actions):
        seen = observation(observations, 9)
        a, b = policy.act(seen, rng(5)), policy.act(seen, rng(5))
        assert np.array_equal(a.actions, b.actions) and np.array_equal(a.from_expert, b.from_expert)

    def test_looks_without_touching(self, policy, observations, actions):
        seen = observation(observations, 9)
        acts = policy.act(seen, rng())
        acts.actions[:] = 0  # the answer is the caller's own
        assert np.array_equal(seen.obs, observation(observations, 9).obs)


@pytest.mark.parametrize(
    ("expert", "observations", "actions"),
    [pytest.param(*rest, id=name) for name, *rest in EXPERTS],
)
class TestExpert:
    def test_is_asked_in_every_row(self, expert, observations, actions):
        assert expert.act(observation(observations, 5), rng()).from_expert.all()

    def test_says_who_it_is(self, expert, observations, actions):
        card = expert.card
        assert card.name and card.source and len(card.sha256) == 64
        assert set(card.sha256) <= set("0123456789abcdef")


ENVS = {
    "toy": lambda n: toys.TrackEnv(n),
    "letters": lambda n: letters(history=2, before=1).open(n),
    "CartPole-v1": lambda n: gym_source("CartPole-v1").open(n),
    "MountainCarContinuous-v0": lambda n: gym_source("MountainCarContinuous-v0").open(n),
}


@pytest.fixture(params=ENVS)
def env(request):
    opened = ENVS[request.param](3)
    yield opened
    opened.close()


ALL = np.arange(3)


def played(env, n_steps, chance):
    rows = []
    for _ in range(n_steps):
        before = env.observation.obs.copy()
        step = env.step(ALL, draw(env.action_space, 3, int(chance.integers(2**30))))
        rows.append((before, *(column.copy() for column in step)))
        over = np.flatnonzero(step.ended)
        if over.size:
            env.reset(over, chance.integers(2**30, size=over.size))
    return [np.stack(column) for column in zip(*rows, strict=True)]


class TestEnv:
    def test_shows_what_its_space_says(self, env):
        env.reset(ALL, ALL)
        assert env.n_envs == len(env.observation) == 3
        assert env.observation.obs.shape == (3, *env.observation_space.shape)
        assert env.observation.obs.dtype == env.observation_space.dtype
        assert env.observation.t.tolist() == [0, 0, 0]

    def test_steps_only_the_slots_it_is_told_to(self, env):
        env.reset(ALL, ALL)
        before = env.observation.obs.copy()
        step = env.step(np.array([0, 2]), draw(env.action_space, 2))
        assert [len(column) for column in step] == [2] * 4
        assert [column.dtype for column in step] == [np.float64, bool, bool, bool]
        assert env.observation.t.tolist() == [1, 0, 1]
        assert np.array_equal(env.observation.obs[1], before[1])

    def test_the_same_seeds_give_the_same_episodes(self, env):
        runs = []
        for _ in range(2):
            env.reset(ALL, ALL)
            runs.append(played(env, 60, rng()))
        assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))
        ended = runs[0][2] | runs[0][3]
        assert ended.any() and not (runs[0][4] & ~ended).any()

    def test_restoring_a_snapshot_goes_back_bit_for_bit(self, env):
        env.reset(ALL, ALL)
        played(env, 8, rng())
        snapshot = {name: array.copy() for name, array in env.snapshot().items()}
        steps, first = env.observation.t.copy(), played(env, 40, rng(1))
        env.restore(snapshot)
        assert np.array_equal(env.observation.t, steps)
        again = played(env, 40, rng(1))
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))

    def test_a_snapshot_goes_into_a_new_env_too(self, env, request):
        env.reset(ALL, ALL)
        played(env, 8, rng())
        snapshot = {name: array.copy() for name, array in env.snapshot().items()}
        other = ENVS[request.node.callspec.params["env"]](3)
        other.restore(snapshot)
        pairs = zip(played(env, 20, rng(2)), played(other, 20, rng(2)), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
        other.close()

    def test_may_be_closed_twice(self, env):
        env.close()
        env.close()
