"""Chunks of actions: which observations predict, their loss, and their mean as in ACT's code."""

from __future__ import annotations

import dataclasses
import importlib
import json

import numpy as np
import pytest
import torch

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import History, Observation, Space
from dagger_cli.core.windows import flat_windows, image_windows
from dagger_cli.networks.chunked import Chunked
from dagger_cli.policies.chunk_head import ChunkHead, with_chunk
from dagger_cli.policies.heads import make_head
from dagger_cli.policies.joint_head import Joint
from dagger_cli.testing.policies import check_learner
from tests.conftest import ROOT

from .learners import BOX, CHOICE, OBS, SWITCHES, box_data, equal, learner, looks, numbers

K = 3
ONE = History(1, 3, 0)


def rows_of(obs, chunk=K):
    """The rows of an episode, one per step: zeros before its start, then how many are past."""
    padded = np.concatenate([np.zeros((chunk - 1, obs.shape[1]), obs.dtype), obs])
    past = np.minimum(np.arange(len(obs)), chunk - 1).astype(obs.dtype)
    frames = [padded[i : i + len(obs)] for i in range(chunk)]
    return np.concatenate([*frames, past[:, None]], axis=1)


def chunked(actions=BOX, chunk=K, decay=0.0, **keys):
    windows = flat_windows(OBS, ONE, chunk)
    return learner(actions=actions, chunk=chunk, chunk_decay=decay, windows=windows, **keys)


def labelled(actions, n=40):
    rng = np.random.default_rng(1)
    if actions.kind == "box":
        labels = rng.uniform(actions.low, actions.high, (n, 2)).astype(np.float32)
    else:
        shape = (n, *actions.shape)
        labels = (rng.integers(actions.sizes[0], size=shape) + actions.start).astype(actions.dtype)
    return Dataset(rows_of(looks(n)), np.arange(n), labels, (n,))


def test_windows_of_a_flat_row_are_what_was_seen_then():
    """Two frames of two numbers and the action between them, three times: o1..o4, a1..a3, count."""
    windows = flat_windows(OBS, History(2, 2, 1), 3)
    row = np.array([10, 11, 20, 21, 30, 31, 40, 41, -1, -2, -3, 2])
    assert row[windows.index].tolist() == [
        [30, 31, 40, 41, -3],
        [20, 21, 30, 31, -2],
        [10, 11, 20, 21, -1],
    ]
    assert row[windows.count] == 2 and windows.chunk == 3


@pytest.mark.parametrize("axis", [0, 2])
def test_windows_of_images_are_channels(axis):
    shape = (2, 9, 8) if axis == 0 else (9, 8, 2)
    space = Space("box", shape, "uint8", (0.0,) * 144, (255.0,) * 144)
    windows = image_windows(space, 2, axis, 3)
    frames = np.arange(4 * 72, dtype=np.int64).reshape(4, 9, 8)
    image = np.moveaxis(np.concatenate([frames, np.full((1, 9, 8), -5)]), 0, axis)
    for i in range(3):
        wanted = np.moveaxis(frames[2 - i : 4 - i], 0, axis)
        assert np.array_equal(image.ravel()[windows.index[i]].reshape(shape), wanted)
    assert image.ravel()[windows.count] == -5


def acts_code(predicted, m):
    """What ACT's evaluation does in the steps of an episode, with a buffer of all predictions.

    `predicted` (steps, k, ...) are those made in each step. Its weights begin with the oldest.
    """
    steps, chunk = predicted.shape[:2]
    buffer = np.zeros((steps, steps + chunk, *predicted.shape[2:]))
    made = np.zeros((steps, steps + chunk), bool)
    actions = []
    for t in range(steps):
        buffer[t, t : t + chunk], made[t, t : t + chunk] = predicted[t], True
        now = buffer[:, t][made[:, t]]
        weights = np.exp(-m * np.arange(len(now)))
        actions.append(np.tensordot(weights / weights.sum(), now, 1))
    return np.array(actions)


@pytest.mark.parametrize("m", [0.01, 0.5, -1.0])
@pytest.mark.parametrize("actions", [BOX, CHOICE, SWITCHES])
def test_it_acts_as_a_buffer_of_predictions_does(m, actions, rng):
    policy = chunked(actions, decay=-m).fit(labelled(actions), None, rng).policy
    obs = looks(12, seed=5)
    seen = Observation(rows_of(obs), np.arange(12))
    one = make_head(actions, "auto")
    with torch.inference_mode():
        outputs = policy.network.network.double()(torch.from_numpy(obs)).reshape(12, K, -1).numpy()
    if actions.kind == "box":
        wanted = acts_code(np.tanh(outputs), m) * [2.0, 0.5] + [1.0, 0.5]
        assert np.abs(policy.act(seen, rng).actions - wanted).max() < 1e-6
    else:
        parts = outputs.reshape(12, K, len(actions.sizes), -1)
        odds = np.exp(parts) / np.exp(parts).sum(-1, keepdims=True)
        mean = acts_code(odds, m)
        wanted = one.actions(mean.reshape(12, -1))
        assert np.array_equal(policy.act(seen, rng).actions, wanted)
        if actions is CHOICE:
            assert np.allclose(policy.scores(seen), np.log(mean[:, 0]), atol=1e-12)


@pytest.mark.parametrize("actions", [BOX, CHOICE, SWITCHES])
def test_its_loss_is_that_of_chunks_along_the_episode(actions, rng):
    """The mean over all steps s and i < k of the loss of prediction i of step s for label s + i."""
    data = labelled(actions, 9)
    ours = chunked(actions)
    policy = ours.fit(data, None, rng).policy
    one = make_head(actions, "auto")
    with torch.inference_mode():
        outputs = policy.network.network(torch.from_numpy(looks(9))).reshape(9, K, -1)
    pairs = [(s, i) for s in range(9) for i in range(K) if s + i < 9]
    losses = [
        one.loss(outputs[s, i][None], one.targets(data.labels[s + i][None])) for s, i in pairs
    ]
    assert ours.loss(policy, data) == pytest.approx(float(torch.stack(losses).mean()), rel=1e-5)


def test_what_was_before_the_start_is_not_used(rng):
    ours = chunked()
    data = labelled(BOX)
    policy = ours.fit(data, None, rng).policy
    rows = data.obs.copy()
    for t, unused in ((0, slice(0, 6)), (1, slice(0, 3))):
        rows[t, unused] = 1e3
    changed = dataclasses.replace(data, stored=rows)
    again = ours.fit(changed, None, np.random.default_rng(0)).policy
    first = ours.fit(data, None, np.random.default_rng(0)).policy
    assert equal(numbers(ours, first), numbers(ours, again))
    assert ours.loss(policy, data) == ours.loss(policy, changed)
    acts = [policy.act(Observation(x, data.steps), rng).actions for x in (data.obs, rows)]
    assert np.array_equal(*acts)


def test_statistics_are_those_of_the_observations_without_zeros(rng):
    obs = looks(40)
    policy = chunked().fit(labelled(BOX), None, rng).policy
    first = policy.network.network[0]
    assert np.allclose(first.mean, obs.mean(0), rtol=1e-5)
    assert np.allclose(first.std, obs.std(0), rtol=1e-5)


def test_a_chunk_of_one_is_no_chunk_bit_for_bit(rng):
    assert isinstance(learner(chunk=1).head, type(make_head(BOX, "auto")))
    data = box_data(50)
    plain = learner(gradient_steps=30)
    rows = np.concatenate([data.obs, np.zeros((50, 1), np.float32)], axis=1)
    through = dataclasses.replace(
        plain, head=ChunkHead(plain.head, 1, 0.0), windows=flat_windows(OBS, ONE, 1)
    )
    fits = plain.fit(data, None, np.random.default_rng(0))
    same = through.fit(dataclasses.replace(data, stored=rows), None, np.random.default_rng(0))
    assert fits.loss == same.loss
    one, other = numbers(plain, fits.policy), numbers(through, same.policy)
    assert [a.tobytes() for a in one.values()] == [a.tobytes() for a in other.values()]
    now = Observation(data.obs, data.steps), Observation(rows, data.steps)
    a, b = (p.act(x, rng).actions for p, x in zip((fits.policy, same.policy), now, strict=True))
    assert np.array_equal(a, b)


def test_a_row_does_not_depend_on_its_batch_and_packing_keeps_every_bit(rng):
    ours, data = chunked(), labelled(BOX)
    policy = ours.fit(data, None, rng).policy
    again = ours.unpack(ours.pack(policy))
    whole = policy.outputs(data.obs)
    acts = policy.act(Observation(data.obs, data.steps), rng).actions
    for rows in (slice(0, 1), slice(5, 38), slice(None, None, 7)):
        assert np.abs(policy.outputs(data.obs[rows]) - whole[rows]).max() < 1e-12
        assert np.array_equal(policy.outputs(data.obs[rows]), again.outputs(data.obs[rows]))
        part = policy.act(Observation(data.obs[rows], data.steps[rows]), rng).actions
        assert np.array_equal(part, acts[rows])


@pytest.mark.parametrize("actions", [BOX, CHOICE, SWITCHES])
def test_it_is_a_learner_as_any_other(actions):
    rows = Space("box", (10,), "float32", (-9.0,) * 9 + (0.0,), (9.0,) * 9 + (2.0,))
    check_learner(chunked(actions), rows, actions)


def test_rows_and_head_belong_together():
    for keys in ({"chunk": 2}, {"windows": flat_windows(OBS, ONE, 2)}):
        with pytest.raises(ConfigError, match=r"policy\.chunk"):
            learner(**keys)


def test_members_of_a_mixture_act_in_one_batch_as_alone(rng):
    ours, data = chunked(CHOICE), labelled(CHOICE)
    members = [ours.fit(data, None, rng).policy for _ in range(4)]
    chosen = rng.integers(4, size=len(data))
    seen = Observation(data.obs, data.steps)
    assert members[0].joins()
    together = members[0].act_for(members, chosen, seen)
    alone = np.array([members[m].act(seen, rng).actions[i] for i, m in enumerate(chosen)])
    assert np.array_equal(together, alone) and len(np.unique(alone)) > 1


def test_unsafe_actions_are_penalized_in_every_prediction():
    head = ChunkHead(Joint(SWITCHES, 10.0), 2, 0.0)
    fatal = np.array([[False, True, False, False]] * 2)
    targets = head.targets(np.zeros((2, 2), np.int8), fatal)
    outputs = torch.zeros(2, 9)
    outputs[1, 8] = 1  # the second row has a past
    one = Joint(SWITCHES, 10.0)
    wanted = one.loss(torch.zeros(3, 4), targets[[0, 1, 1]])
    assert head.loss(outputs, targets) == pytest.approx(float(wanted))


def test_the_network_gives_each_prediction_its_observation():
    """A network that returns its input, once for each prediction, times the number of it."""

    class Echo(torch.nn.Module):
        def forward(self, obs):
            return torch.cat([obs * (i + 1) for i in range(K)], 1)

    network = Chunked(Echo(), flat_windows(OBS, ONE, K), 9)
    row = torch.tensor([[1.0, 1, 1, 10, 10, 10, 100, 100, 100, 2]])
    assert network(row).tolist() == [[100.0] * 3 + [20.0] * 3 + [3.0] * 3 + [2.0]]


@pytest.mark.parametrize(("chunk", "decay"), [(0, 0.0), (2, float("nan")), (2, 99.0)])
def test_wrong_values_are_refused(chunk, decay):
    with pytest.raises(ConfigError, match=r"policy\.chunk"):
        with_chunk(make_head(BOX, "auto"), chunk, decay)


def test_the_page_has_the_measured_costs(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    costs = json.loads((ROOT / "docs/chunks_cost.json").read_text("utf-8"))
    table = importlib.import_module("bench_chunks").table(costs)
    assert table in (ROOT / "docs/chunks.md").read_text("utf-8")
    assert costs["8"]["row_bytes"] == (8 * 24 + 1) * 4
