"""Properties of every trainer: budget, resuming, and that regret does not change results."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.serialization import pack, unpack
from dagger_cli.core.types import Card, Observation
from dagger_cli.tracking.checkpoint import CheckpointWriter, resolve_resumed, restore
from tests.toys import HORIZON, TableLearner, TrackEnv

from .reductions import ROUNDS, TRAINERS, go_on, kit_of, steps, trained

CONFIG = {"env": {"id": "track"}, "seed": 0}
every = pytest.mark.parametrize("name", TRAINERS)


def fingerprint(state, kit):
    """All that a run has learned and will go on from."""
    packed = {name: a.tolist() for name, a in pack(state.policy, kit.learner).items()}
    columns = [column.tolist() for column in state.data.columns.values()]
    env = {name: a.tolist() for name, a in kit.env.snapshot().items()}
    streams = {name: s for name, s in kit.rng.save().items() if name != "regret"}
    return packed, columns, state.data.rounds, state.usage, env, streams


class Stopped(Exception):
    pass


def stop_after(round):
    def observe(finished):
        if finished.state.round == round:
            raise Stopped

    return observe


@every
def test_a_run_killed_after_three_rounds_goes_on_as_if_it_had_not_been(name, tmp_path):
    trainer, whole, part, again = TRAINERS[name], kit_of(), kit_of(), kit_of(seed=99)
    card = Card("table", "tests", "0" * 64)
    saved = CheckpointWriter(folder=tmp_path, kit=part, config=CONFIG, card=card)
    with pytest.raises(Stopped):
        trained(trainer, part, (saved, stop_after(3)))
    state, best = restore(resolve_resumed(tmp_path), again)
    assert state.round == 3
    resumed, uninterrupted = go_on(trainer, again, state, best), trained(trainer, whole)
    assert fingerprint(resumed, again) == fingerprint(uninterrupted, whole)
    assert again.rng.save() == whole.rng.save() and resumed.metrics == uninterrupted.metrics


@every
def test_measuring_regret_changes_nothing_that_is_learned(name):
    one, other = kit_of(), kit_of()
    measured = trained(TRAINERS[name], one)
    blind = trained(TRAINERS[name], other, regret=False)
    assert fingerprint(measured, one) == fingerprint(blind, other)
    assert not any(key.startswith("regret/") for key in blind.metrics)
    # Tables fitted on the same rows are the same: this ensemble is never torn, nothing is fresh.
    assert ("regret/online_loss_mean" in measured.metrics) == (name != "ensemble_dagger")


@every
def test_the_same_seed_gives_the_same_run_and_another_seed_another_one(name):
    kits = kit_of(), kit_of(), kit_of(seed=1)
    first, second, third = (fingerprint(trained(TRAINERS[name], kit), kit) for kit in kits)
    assert first == second != third


@every
def test_no_round_asks_for_more_labels_than_its_share_and_every_query_is_counted(name):
    kit, usage, asked = kit_of(), 0, 0
    for round, state in enumerate(steps(TRAINERS[name], kit)):
        fresh = state.usage.labels - usage
        assert 0 <= fresh <= kit.budget.steps(round)
        assert state.data.rounds[-1] <= max(fresh, kit.budget.steps(round))
        usage, asked = state.usage.labels, sum(kit.expert.asked)
    assert usage <= kit.budget.total == ROUNDS * 103
    if name == "dart":  # what it does and what it meant are two calls and one query
        assert asked == 2 * usage - 103
    elif name == "hg_dagger":  # looking on is no query
        assert asked > usage
    else:
        assert asked == usage


WHOLE_BUDGET = ("sup", "smile", "searn", "dagger", "dagger by episode", "dagger latest",
                "dagger ogd", "dart")  # fmt: skip


@pytest.mark.parametrize("name", WHOLE_BUDGET)
def test_who_asks_everywhere_uses_the_budget_up_exactly(name):
    last = steps(TRAINERS[name], kit_of())[-1]
    assert last.usage == (ROUNDS * 103, ROUNDS * 103) and len(last.data) == ROUNDS * 103


@every
def test_before_the_first_fit_the_expert_acts_and_only_it_is_imitated(name):
    """The expert never leaves the track, so whatever is kept of round 1 is on it."""
    first = steps(TRAINERS[name], kit_of())[0]
    assert len(first.data) > 0 and (first.data.obs == 0).all()


@every
def test_what_is_deployed_never_asks_the_expert(name):
    kit = kit_of()
    policy = TRAINERS[name].deploy(steps(TRAINERS[name], kit)[-1], kit)
    observation = Observation(np.arange(5, dtype=np.float32)[:, None], np.arange(5) * 10)
    kit.expert.asked.clear()
    assert (
        not policy.act(observation, np.random.default_rng(0)).from_expert.any()
        and not kit.expert.asked
    )


@every
def test_every_kind_of_policy_is_packed_whole(name):
    kit, rows = kit_of(), np.tile(np.arange(5, dtype=np.float32), HORIZON)[:, None]
    policy = TRAINERS[name].deploy(steps(TRAINERS[name], kit)[-1], kit)
    arrays = pack(policy, kit.learner)
    back = unpack(arrays, TableLearner(), TrackEnv.action_space)
    observation = Observation(rows, np.repeat(np.arange(HORIZON), 5))
    acts = [p.act(observation, np.random.default_rng(0)).actions for p in (policy, back)]
    assert type(back) is type(policy) and np.array_equal(*acts)
