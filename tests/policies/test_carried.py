"""A policy that carries its state: its steps, its fits and its files, against plain torch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dagger_cli.core.dataset import Dataset, resampled
from dagger_cli.core.past import FRAMES, INDEX, PAST, joined
from dagger_cli.core.tape import Tape
from dagger_cli.core.types import History, Observation, Space
from dagger_cli.networks.carried import Carried
from dagger_cli.networks.modules import initialise
from dagger_cli.policies.batches import Batches
from dagger_cli.policies.memory import gru_learner
from dagger_cli.policies.segments import SegmentBatches

SEEN = Space("box", (2,), "float32", (-9.0,) * 2, (9.0,) * 2)
TORQUE = Space("box", (1,), "float32", (-1.0,), (1.0,))
CHOICE = Space("discrete", (), "int64", sizes=(3,))
FIT: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 1e-2, "weight_decay": 0.0, "batch_size": 24,
    "gradient_steps": 12, "epochs": None, "warm_start": True, "decay": True, "normalize": True,
}  # fmt: skip
LENGTHS = (23, 9, 16, 1, 30)


def learner(actions=TORQUE, **fit):
    kinds = {"units": 6, "sizes": [5], "activation": "tanh", "loss": "auto", "threads": 1}
    given = {"carry": True, "truncate": 8, **kinds, **FIT, **fit}
    return gru_learner(SEEN, actions, past=History(1, 2, 0), window=1, **given)


def recorded(label=None, n=3, episodes=2):
    """Rows of n slots in the order of time, and their labels: what was seen three steps ago."""
    rng, tape = np.random.default_rng(1), Tape(n, (2,), "float32")
    rows, steps, labels = [], [], []
    left, kept = np.zeros(n, int), [[] for _ in range(n)]
    for _ in range(episodes * max(LENGTHS)):
        frames = rng.standard_normal((n, 2)).astype(np.float32) * 2 + 1
        begins = left == 0
        left[begins] = rng.choice(LENGTHS, begins.sum())
        tape.push(np.flatnonzero(~begins), frames[~begins])
        tape.start(np.flatnonzero(begins), frames[begins])
        for slot in range(n):
            kept[slot] = [*([] if begins[slot] else kept[slot]), frames[slot]]
        rows.append(tape.rows)
        steps.append(tape.past)
        labels.append([np.tanh(one[-4][:1]) if len(one) > 3 else [0.0] for one in kept])
        left -= 1
    found = np.concatenate(labels).astype(np.float32)
    n_rows = len(found)
    return Dataset(joined(rows), np.concatenate(steps), found, (n_rows,)), rows


def reference(network, stored):
    """The outputs by torch's own units over whole episodes, in float64, row by row."""
    double = deepcopy(network).double()
    found = []
    for i, past in zip(stored.parts[INDEX].tolist(), stored.parts[PAST].tolist(), strict=True):
        frames = torch.from_numpy(stored.parts[FRAMES][i - past : i + 1].astype(np.float64))
        inputs = double.first(frames)
        states, _ = double.cells(inputs[None])
        found.append(double.last(torch.cat([states[0, -1], inputs[-1]])))
    return torch.stack(found).detach().numpy()


def drawn(actions=TORQUE):
    """A policy with random weights and statistics."""
    ours = learner(actions)
    data, rows = recorded()
    labels = np.zeros(len(data), np.int64) if actions is CHOICE else data.labels
    data = Dataset(data.stored, data.steps, labels, data.rounds)
    return ours.fit(data, None, np.random.default_rng(3)).policy, data, rows


def test_a_step_is_that_of_torchs_units_over_the_episode_so_far():
    policy, data, rows = drawn()
    wanted = reference(policy.network, data.stored)
    assert np.abs(policy.outputs(data.stored) - wanted).max() < 1e-12
    begin = 0
    for one in rows:  # step after step, as in a roll-out
        here = wanted[begin : begin + len(one)]
        assert np.abs(policy.outputs(one) - here).max() < 1e-12
        begin += len(one)


def test_rows_that_it_is_not_asked_for_are_caught_up_on_and_asking_twice_changes_nothing(rng):
    policy, data, rows = drawn()
    wanted = reference(policy.network, data.stored)
    begin = 0
    for one in rows:
        some = rng.permutation(len(one))[: rng.integers(1, len(one) + 1)]
        more = rng.permutation(len(one))[: rng.integers(1, len(one) + 1)]
        for asked in (some, some, more):  # of some the state is known, of others it is not yet
            found = policy.outputs(one[asked])
            assert np.abs(found - wanted[begin + asked]).max() < 1e-12
        begin += len(one)
    back = rng.permutation(len(data))  # against time, in any order and more than once
    for part in np.array_split(np.concatenate([back, back[:50]]), 9):
        assert np.abs(policy.outputs(data.stored[part]) - wanted[part]).max() < 1e-12


def test_a_choice_is_the_likeliest_and_beam_search_gets_its_probabilities(rng):
    policy, data, _ = drawn(CHOICE)
    wanted = reference(policy.network, data.stored)
    seen = data.observation
    assert np.array_equal(policy.act(seen, rng).actions, wanted.argmax(1))
    logs = wanted - np.log(np.exp(wanted).sum(1, keepdims=True))
    assert np.abs(policy.scores(seen) - logs).max() < 1e-9


def test_the_loss_is_that_of_all_rows():
    policy, data, _ = drawn()
    outputs = torch.from_numpy(reference(policy.network, data.stored))
    wanted = nn.functional.mse_loss(torch.tanh(outputs), torch.from_numpy(data.labels).double())
    assert abs(learner().loss(policy, data) - float(wanted)) < 1e-9


def begin_of(frame, past, phase, truncate):
    """The first frame of a row's segment: cuts are `truncate` steps apart, the first at `phase`."""
    cuts = [0, *range(phase, past + 1, truncate)]
    return frame - past + cuts[-1]


def plain_fit(network, data, rng, steps, truncate=8, batch=24, rate=1e-2):
    """Truncated backpropagation through time by a loop over rows, with torch.optim."""
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    index, past = (data.stored.parts[name] for name in (INDEX, PAST))
    frames = torch.from_numpy(data.stored.parts[FRAMES])
    per_pass = int(np.ceil(len(data) / batch))
    losses: list[float] = []
    while len(losses) < steps:
        phase = rng.integers(truncate)
        rows = zip(index.tolist(), past.tolist(), strict=True)
        begins = np.array([begin_of(*row, phase, truncate) for row in rows])
        segments = np.unique(begins)
        with torch.no_grad():
            before = {}
            for begin in segments.tolist():
                row = np.flatnonzero(begins == begin)[0]
                first = int(index[row] - past[row])
                before[begin] = torch.zeros(network.units)
                if begin > first:
                    states, _ = network.cells(network.first(frames[first:begin])[None])
                    before[begin] = states[0, -1]
        for chosen in np.array_split(rng.permutation(len(segments)), per_pass):
            if len(losses) == steps:
                break
            outputs, targets = [], []
            kept = rng.random(len(chosen)) >= 0.5
            for begin, keeps in zip(segments[chosen].tolist(), kept.tolist(), strict=True):
                rows = np.flatnonzero(begins == begin)
                inputs = network.first(frames[begin : int(index[rows].max()) + 1])
                states, _ = network.cells(inputs[None], keeps * before[begin][None, None])
                features = torch.cat([states[0], inputs], dim=1)
                outputs.append(network.last(features)[index[rows] - begin])
                targets.append(torch.from_numpy(data.labels[rows]))
            loss = nn.functional.mse_loss(torch.tanh(torch.cat(outputs)), torch.cat(targets))
            optimizer.zero_grad()
            loss.backward()
            optimizer.param_groups[0]["lr"] = rate * (1 - len(losses) / steps)
            optimizer.step()
            losses.append(float(loss.detach()))
    return float(np.mean(losses))


@pytest.mark.parametrize("kept", ["all", "some", "drawn"])
def test_a_fit_is_truncated_backpropagation_through_time(kept):
    """Of all rows, of those that a gate asked for, and of rows drawn by their weights."""
    data, _ = recorded()
    rng = np.random.default_rng(5)
    if kept == "some":
        data = data[np.sort(rng.permutation(len(data))[: len(data) // 3])]
    if kept == "drawn":
        weights = rng.random(len(data)).astype(np.float32)
        labelled = Dataset(data.stored, data.steps, data.labels, data.rounds, weights)
        data = resampled(labelled, rng)
    network = Carried(2, 6, 1, [5], "tanh")
    drawing = np.random.default_rng(7)
    initialise(network, torch.Generator().manual_seed(int(drawing.integers(2**63))))
    network.first.take(data.stored)
    steps = 3 * int(np.ceil(len(data) / 24)) - 1
    found = learner(gradient_steps=steps).fit(data, None, np.random.default_rng(7))
    loss = plain_fit(network, data, drawing, steps)
    assert abs(found.loss - loss) < 1e-5
    for name, mine in found.policy.network.state_dict().items():
        assert torch.allclose(mine, network.state_dict()[name], atol=2e-5), name


def test_it_learns_what_only_the_past_tells(rng):
    data, _ = recorded(n=8, episodes=20)
    sharp = {"units": 32, "sizes": [32], "gradient_steps": 600, "batch_size": 128}
    policy, _ = learner(truncate=16, **sharp).fit(data, None, rng)
    unseen, _ = recorded(n=4, episodes=3)
    assert learner().loss(policy, unseen) < 0.1 * float(unseen.labels.var())


def test_its_memory_is_longer_than_its_gradients_go_back(rng):
    """The label is the first observation's sign; segments of 8 steps, episodes of up to 30."""
    data, _ = recorded(n=16, episodes=20)
    parts = data.stored.parts
    first = parts[FRAMES][parts[INDEX] - parts[PAST]]
    labels = np.sign(first[:, :1] - 1).astype(np.float32)
    data = Dataset(data.stored, data.steps, labels, data.rounds)
    fit = {"units": 16, "gradient_steps": 800, "batch_size": 256}
    policy, _ = learner(truncate=8, **fit).fit(data, None, rng)
    late = data[data.steps > 16]
    right = np.sign(policy.act(late.observation, rng).actions) == late.labels
    assert right.mean() > 0.9


def test_packing_keeps_every_bit_and_a_warm_start_goes_on(rng):
    ours, (policy, data, _) = learner(), drawn()
    again = ours.unpack(ours.pack(policy))
    assert np.array_equal(policy.outputs(data.stored), again.outputs(data.stored))
    fits = [ours.fit(data, one, np.random.default_rng(4)) for one in (policy, again)]
    assert fits[0].loss == fits[1].loss
    arrays = [ours.pack(fit.policy) for fit in fits]
    assert all(np.array_equal(arrays[0][k], arrays[1][k]) for k in arrays[0])


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_hidden_layers_of_any_activation_act_as_they_are_fitted(activation):
    data, _ = recorded()
    policy = learner(activation=activation).fit(data, None, np.random.default_rng(3)).policy
    wanted = reference(policy.network, data.stored)
    assert np.abs(policy.outputs(data.stored) - wanted).max() < 1e-12


def test_epochs_count_passes_over_the_rows(rng):
    data, _ = recorded()
    batches = []
    ours, cpu = learner(epochs=3, gradient_steps=None), torch.device("cpu")
    source = SegmentBatches(Batches(24, 3, None), 8, Carried(2, 6, 1, [5], "tanh"))
    for seen, targets in source.of(data, ours.head, lambda x: x, cpu, rng):
        assert len(seen.rows) == len(targets)
        batches.append(len(targets))
    assert (len(batches), sum(batches)) == (3 * int(np.ceil(len(data) / 24)), 3 * len(data))


def test_it_needs_rows_with_a_past(rng):
    policy, data, _ = drawn()
    with pytest.raises(AssertionError, match="needs rows with a past"):
        policy.act(Observation(data.obs, data.steps), rng)
