"""Combined policies as arrays: bit for bit through a file, and refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.policies import Ensemble, Mixture, NonStationaryPolicy
from dagger_cli.core.serialization import pack, unpack
from dagger_cli.core.types import Observation
from dagger_cli.tracking.safetensors_io import read_arrays, write_arrays
from dagger_cli.trainers.smile import weights
from tests.policies.learners import BOX, CHOICE, OBS, dataset, learner, looks
from tests.toys import Table, TableLearner, TrackEnv

SPACES = {"box": BOX, "choice": CHOICE}


def fitted(space, n):
    """n small networks, each of its own beginning."""
    one, rng = learner(OBS, space, gradient_steps=2), np.random.default_rng(0)
    obs = looks(20)
    if space is BOX:
        labels = rng.uniform(space.low, space.high, (20, 2)).astype(np.float32)
    else:
        labels = rng.integers(-1, 2, 20)
    return one, tuple(one.fit(dataset(obs, labels), None, rng).policy for _ in range(n))


def smile_of_20(members, space):
    left = np.array(weights(0.1, 20)[1:])
    return Mixture(members, tuple((left / left.sum()).tolist()))


KINDS = {
    "mixture of 20": smile_of_20,
    "policy a slot": lambda members, space: NonStationaryPolicy(members, 3),
    "ensemble": lambda members, space: Ensemble(members, space),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("space", SPACES)
def test_networks_combined_act_bit_for_bit_alike_after_a_file(space, kind, tmp_path):
    one, members = fitted(SPACES[space], 20)
    policy = KINDS[kind](members, SPACES[space])
    digest = write_arrays(tmp_path / "policy.safetensors", pack(policy, one))
    arrays = read_arrays(tmp_path / "policy.safetensors", digest, within=tmp_path)
    back = unpack(arrays, one, SPACES[space])
    observation = Observation(looks(500, seed=1), np.arange(500))
    ours, theirs = (p.act(observation, np.random.default_rng(3)).actions for p in (policy, back))
    assert ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes()
    if isinstance(policy, Mixture):
        assert back.weights == policy.weights and len(np.unique(ours, axis=0)) > 1


MEMBERS = tuple(Table((i, 0, 0, 0, 0)) for i in range(3))


def arrays_of(policy):
    return pack(policy, TableLearner())


def damaged(policy, **changes):
    arrays = arrays_of(policy) | {name.replace("__", "."): a for name, a in changes.items()}
    return {name: array for name, array in arrays.items() if array is not None}


MIXTURE = Mixture(MEMBERS, (0.5, 0.25, 0.25))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (damaged(MIXTURE, mixture__weights=np.array([0.5, 0.5])), "do not fit its members"),
        (damaged(MIXTURE, mixture__weights=np.array([0.5, 0.5, 0.5])), "do not fit"),
        (damaged(MIXTURE, mixture__weights=np.array([1.5, -0.5, 0.0])), "do not fit"),
        (damaged(MIXTURE, mixture__weights=np.array([np.nan, 0.5, 0.5])), "do not fit"),
        (damaged(MIXTURE, mixture__weights=np.array([])), "do not fit"),
        (damaged(MIXTURE, mixture__weights=np.full((3, 3), 1 / 9)), "do not fit"),
        (arrays_of(MIXTURE) | {"4.answers": np.zeros(5)}, "lacks some of its members"),
        ({"mixture.weights": np.array([1.0])}, "lacks some of its members"),
        (
            damaged(NonStationaryPolicy(MEMBERS, 2), per_step__k=np.array([0])),
            "must be at least 1, got 0",
        ),
        (
            damaged(NonStationaryPolicy(MEMBERS, 2), per_step__k=np.array([], np.int64)),
            "must be at least 1, got 0",
        ),
        (
            damaged(NonStationaryPolicy(MEMBERS, 2), per_step__k=np.array([np.nan])),
            "must be at least 1",
        ),
        ({"per_step.k": np.array([2])}, "lacks some of its members"),
        (
            damaged(Ensemble(MEMBERS, TrackEnv.action_space), ensemble__size=np.array([4])),
            "lacks some of its members",
        ),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(arrays, message):
    with pytest.raises(CheckpointError, match=message):
        unpack(arrays, TableLearner(), TrackEnv.action_space)


def test_a_member_that_is_missing_is_noticed():
    for policy in (MIXTURE, Ensemble(MEMBERS, TrackEnv.action_space)):
        for gone in range(3):
            arrays = arrays_of(policy)
            del arrays[f"{gone}.answers"]
            with pytest.raises(CheckpointError):
                unpack(arrays, TableLearner(), TrackEnv.action_space)
