"""Fits of networks: result, number of batches, warm start, saved state."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.policies.sources import torch_learner

from .learners import (
    BOX,
    CHOICE,
    OBS,
    SWITCHES,
    box_data,
    choice_data,
    dataset,
    equal,
    learner,
    looks,
    numbers,
    observation,
)

FIT = (
    *("optimizer", "learning_rate", "weight_decay", "batch_size", "epochs", "gradient_steps"),
    *("warm_start", "decay", "normalize"),
)


def rng(seed=0):
    return np.random.default_rng(seed)


LONG = {"sizes": [], "gradient_steps": 600, "batch_size": 64, "learning_rate": 3e-2, "decay": True}


def test_it_learns_a_linear_map_to_the_bounds():
    fitted = learner(**LONG).fit(box_data(1000), None, rng())
    fresh = box_data(500, seed=1)
    error = fitted.policy.act(observation(fresh.obs), rng()).actions - fresh.labels
    assert np.abs(error).max() < 0.02  # of ranges 4 and 1
    assert fitted.loss < 0.05


def test_it_learns_which_of_three():
    fitted = learner(actions=CHOICE, **LONG).fit(choice_data(2000), None, rng())
    fresh = choice_data(1000, seed=1)
    actions = fitted.policy.act(observation(fresh.obs), rng()).actions
    assert (actions == fresh.labels).mean() > 0.97 and set(actions) == {-1, 0, 1}


def test_it_learns_switches_each_by_itself():
    def data(seed):
        obs = looks(1000, seed)
        return dataset(obs, (obs[:, :2] > [1.0, -2.0]).astype(np.int8))

    fitted = learner(actions=SWITCHES, **LONG).fit(data(0), None, rng())
    acts = fitted.policy.act(observation(data(1).obs), rng())
    assert (acts.actions == data(1).labels).mean() > 0.97
    assert acts.actions.dtype == np.int8 and not acts.from_expert.any()


@pytest.mark.parametrize(
    ("how_long", "sizes"),
    [
        ({"epochs": 2, "gradient_steps": None}, [4, 4, 2, 4, 4, 2]),
        ({"gradient_steps": 5}, [4, 4, 2, 4, 4]),
        ({"gradient_steps": 2}, [4, 4]),
        ({"epochs": 1, "gradient_steps": None, "batch_size": 99}, [10]),
    ],
)
def test_the_batches_are_shuffled_passes_counted_exactly(how_long, sizes):
    seen = []

    class Watching:
        def __init__(self, head):
            self.head, self.outputs = head, head.outputs

        def targets(self, labels):
            return self.head.targets(labels)

        def gradient(self, outputs, targets):
            seen.append(targets.clone())
            return self.head.gradient(outputs, targets)

    data = box_data(10)
    plain = learner(**how_long)
    dataclasses.replace(plain, head=Watching(plain.head)).fit(data, None, rng())
    assert [len(batch) for batch in seen] == sizes
    if sum(sizes) >= 10:
        one_pass = torch.cat(seen)[:10]
        wanted = plain.head.targets(data.labels)
        assert sorted(one_pass.tolist()) == sorted(wanted.tolist())
        assert one_pass.tolist() != wanted.tolist()


@pytest.mark.parametrize("how_long", [{"gradient_steps": 300}, {"epochs": 3}])
def test_targets_are_made_for_a_few_batches_at_a_time(how_long):
    """Those of all rows would lie in memory beside the aggregate, once more in every fit."""
    asked = []

    class Counting:
        def __init__(self, head):
            self.outputs, self.loss, self.gradient = head.outputs, head.loss, head.gradient
            self._targets = head.targets

        def targets(self, labels):
            asked.append(len(labels))
            return self._targets(labels)

    plain = learner(**({"epochs": None, "gradient_steps": None} | how_long))
    dataclasses.replace(plain, head=Counting(plain.head)).fit(box_data(1000), None, rng())
    assert max(asked) == 8 * plain.batch_size
    assert sum(asked) == how_long.get("gradient_steps", 750) * plain.batch_size


def test_from_scratch_ignores_where_it_starts_and_a_warm_start_goes_on():
    data = box_data(50)
    scratch, warm = learner(warm_start=False), learner(warm_start=True)
    first = scratch.fit(data, None, rng()).policy
    again = scratch.fit(data, first, rng()).policy
    on = warm.fit(data, first, rng())
    assert equal(numbers(scratch, first), numbers(scratch, again))
    assert not equal(numbers(warm, first), numbers(warm, on.policy))
    steps = [float(entry["step"]) for entry in on.policy.optimizer]
    assert steps == [20.0] * 4  # two fits of 10: the optimiser went on too
    assert on.loss < scratch.fit(data, None, rng()).loss


@pytest.mark.parametrize("key", ["epochs", "gradient_steps"])
def test_the_last_fit_is_that_of_a_learner_with_so_many_times_the_steps(key):
    other = {"epochs": None, "gradient_steps": None}
    short, long = learner(**(other | {key: 2}), final_fit=3), learner(**(other | {key: 6}))
    data = box_data(30)
    fits = [one.fit(data, None, rng()).policy for one in (short.for_final_fit(), long)]
    assert equal(numbers(long, fits[0]), numbers(long, fits[1]))


def test_the_learning_rate_falls_to_nothing_where_it_decays():
    data = box_data(50)
    fits = {
        d: learner(decay=d, optimizer="sgd", gradient_steps=1).fit(data, None, rng())
        for d in (0, 1)
    }
    assert equal(numbers(learner(), fits[0].policy), numbers(learner(), fits[1].policy))
    longer = {d: learner(decay=d, gradient_steps=40).fit(data, None, rng()) for d in (False, True)}
    assert not equal(
        numbers(learner(), longer[False].policy), numbers(learner(), longer[True].policy)
    )


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("actions", [BOX, CHOICE], ids=["box", "choice"])
def test_going_on_from_an_unpacked_policy_is_going_on_from_the_original(optimizer, actions):
    make = box_data if actions is BOX else choice_data
    one = learner(actions=actions, optimizer=optimizer, weight_decay=0.01, decay=True)
    first = one.fit(make(30), None, rng()).policy
    packed = numbers(one, first)
    back = one.unpack(packed)
    assert equal(numbers(one, back), packed)
    a = one.fit(make(60, seed=1), first, rng(1))
    b = one.fit(make(60, seed=1), back, rng(1))
    assert a.loss == b.loss and equal(numbers(one, a.policy), numbers(one, b.policy))
    assert equal(numbers(one, first), packed) and equal(numbers(one, back), packed)


def test_the_same_chance_gives_the_same_weights_whatever_torchs_own_seed():
    one, data = learner(), box_data(30)
    torch.manual_seed(1)
    a = one.fit(data, None, rng(7))
    torch.manual_seed(2)
    b, c = one.fit(data, None, rng(7)), one.fit(data, None, rng(8))
    assert a.loss == b.loss and equal(numbers(one, a.policy), numbers(one, b.policy))
    assert not equal(numbers(one, a.policy), numbers(one, c.policy))


def test_a_fit_leaves_the_data_alone():
    data = box_data(30)
    before = [column.copy() for column in data.columns.values()]
    learner().fit(data, None, rng())
    assert all(np.array_equal(a, b) for a, b in zip(before, data.columns.values(), strict=True))


def test_the_normalisation_is_the_aggregates_and_travels_with_the_policy():
    data = box_data(40)
    arrays = numbers(learner(), learner().fit(data, None, rng()).policy)
    np.testing.assert_allclose(arrays["network.0.mean"], data.obs.mean(0), rtol=1e-5)
    np.testing.assert_allclose(arrays["network.0.std"], data.obs.std(0), rtol=1e-4)
    raw = learner(normalize=False)
    arrays = numbers(raw, raw.fit(data, None, rng()).policy)
    assert (arrays["network.0.mean"] == 0).all() and (arrays["network.0.std"] == 1).all()


def test_a_warm_start_takes_the_newest_normalisation():
    one = learner()
    first = one.fit(box_data(40), None, rng()).policy
    shifted = dataset(looks(40) + 5, box_data(40).labels)
    second = numbers(one, one.fit(shifted, first, rng()).policy)
    np.testing.assert_allclose(second["network.0.mean"], shifted.obs.mean(0), rtol=1e-5)


@pytest.mark.parametrize("actions", [BOX, CHOICE], ids=["box", "choice"])
def test_an_answer_does_not_depend_on_the_rows_beside_it(actions):
    data = (box_data if actions is BOX else choice_data)(200)
    policy = learner(actions=actions, sizes=[64, 64]).fit(data, None, rng()).policy
    whole = policy.act(observation(data.obs), rng()).actions
    alone = np.concatenate(
        [policy.act(observation(data.obs[i : i + 1]), rng()).actions for i in range(200)]
    )
    odd = policy.act(observation(data.obs[::-1][:7].copy()), rng()).actions[::-1]
    assert np.array_equal(whole, alone) and np.array_equal(whole[-7:], odd)


def test_acting_uses_no_chance():
    generator = rng()
    before = generator.bit_generator.state
    learner().fit(box_data(), None, rng()).policy.act(observation(looks(3)), generator)
    assert generator.bit_generator.state == before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"optimizer": "lbfgs"}, "policy.optimizer must be one of adam, adamw, sgd; got 'lbfgs'"),
        ({"epochs": 3}, "policy.epochs and policy.gradient_steps both set the length"),
        ({"gradient_steps": None}, "policy.epochs and policy.gradient_steps both set the length"),
        ({"gradient_steps": 0}, "policy.gradient_steps must be at least 1, got 0"),
        ({"gradient_steps": None, "epochs": -1}, "policy.epochs must be at least 1, got -1"),
        ({"batch_size": 0}, "policy.batch_size must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "policy.learning_rate must be > 0, got 0.0"),
        ({"learning_rate": float("nan")}, "policy.learning_rate must be > 0, got nan"),
        ({"weight_decay": -1.0}, "policy.weight_decay must be 0 or more, got -1.0"),
        ({"threads": 0}, r"policy.threads must be in \[1, 1024\], got 0"),
    ],
)
def test_values_that_cannot_work_are_refused_when_the_learner_is_made(changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        learner(**changes)


def test_a_policy_of_another_shape_is_refused():
    packed = numbers(learner(), learner().fit(box_data(), None, rng()).policy)
    for other in (learner(sizes=[9]), learner(sizes=[8, 8]), learner(actions=CHOICE)):
        with pytest.raises(CheckpointError, match="another shape than its config says"):
            other.unpack(packed)


@pytest.mark.parametrize("name", ["exp_avg", "exp_avg_sq", "step"])
@pytest.mark.parametrize("shape", [(0,), (16,), (3, 5)])
def test_optimizer_state_of_another_shape_never_reaches_the_fused_kernels(name, shape):
    packed = numbers(learner(), learner().fit(box_data(), None, rng()).policy)
    learner().unpack(packed)
    altered = {**packed, f"optimiser.0.{name}": np.zeros(shape, np.float32)}
    with pytest.raises(CheckpointError, match="optimizer state in this checkpoint does not fit"):
        learner().unpack(altered)


def test_weights_that_are_not_finite_are_refused():
    packed = numbers(learner(), learner().fit(box_data(), None, rng()).policy)
    name = next(name for name in packed if name.endswith("weight"))
    with pytest.raises(CheckpointError, match="weights that are not finite"):
        learner().unpack({**packed, name: np.full_like(packed[name], np.nan)})


@pytest.mark.parametrize("name", ["optimiser.99.step", "optimiser.step", "optimiser.x.step"])
def test_an_optimiser_of_another_network_is_refused(name):
    packed = numbers(learner(), learner().fit(box_data(), None, rng()).policy)
    with pytest.raises(CheckpointError):
        learner().unpack({**packed, name: np.float32(1)})


class Keeping(nn.Module):
    """Keeps results of `forward`, which torch cannot copy, in a list."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.body, self.kept = nn.Linear(inputs, outputs), []

    def forward(self, x):
        self.kept = [self.body(x)]
        return self.kept[0]


def own(network):
    keys = {key: value for key, value in vars(learner()).items() if key in FIT}
    return torch_learner(OBS, BOX, network=network, loss="auto", threads=None, **keys)


@pytest.mark.slow
def test_a_fit_goes_on_from_a_network_whose_layers_keep_a_weight_of_their_own():
    """The old spectral_norm computes the weight in each forward, and keeps it with its graph."""

    def normed(inputs, outputs):
        first = nn.utils.spectral_norm(nn.Linear(inputs, 8))
        return nn.Sequential(first, nn.ReLU(), nn.Linear(8, outputs))

    learns, data = own(normed), box_data(50)
    first = learns.fit(data, None, rng())
    back = learns.unpack(numbers(learns, first.policy))
    further = [learns.fit(data, start, rng(1)) for start in (first.policy, back)]
    assert further[0].loss == further[1].loss < first.loss
    assert equal(*(numbers(learns, one.policy) for one in further))


def test_a_network_that_cannot_be_copied_is_named():
    first = own(Keeping).fit(box_data(), None, rng())
    with pytest.raises(ConfigError, match=r"policy\.network cannot be copied for the next fit"):
        own(Keeping).fit(box_data(), first.policy, rng())
