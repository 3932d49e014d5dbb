"""Cost-to-go estimates on the toy problem, where they can be computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.policies import Mixture
from dagger_cli.core.schedules import Constant
from dagger_cli.core.types import Acts, Space
from dagger_cli.loop.cost_to_go import (
    CostRollouts,
    Follow,
    Plan,
    _Probe,
    _uniform,
    cost_examples,
    plan,
)
from dagger_cli.loop.rollout import begin, rollout
from dagger_cli.trainers.aggrevate import AggreVaTe
from dagger_cli.trainers.lols import LOLS
from dagger_cli.trainers.searn import SEARN
from tests.toys import Table, expert_answers, toy_kit

from .reductions import LINEAR, kit_of, steps

ZERO = Table((0, 0, 0, 0, 0))
BACK = Table((0, 1, 1, 1, 1))
TRIES = CostRollouts(10, 1, 2)


def costs(kit, follow, slots, *, cost_rollouts=TRIES, candidates=(0, 1)):
    probe = _Probe(kit, cost_rollouts, ZERO, follow, Plan(10, 1, 10_000))
    tried = np.array([candidates] * len(slots))
    return probe._costs(kit.env.snapshot(), np.array(slots), tried).tolist(), probe


def test_the_costs_of_both_actions_by_hand():
    """From step 0, ten steps, ZERO follows.

    0 stays on the track until step 3, where 1 were right, and is off it in steps 3 to 9: 7.
    1 is wrong at once and never mended: 10. With BACK each mistake costs a single step: 1 at step
    3, and for 1 another at once.
    """
    kit = toy_kit(n_envs=2)
    begin(kit)
    assert costs(kit, Follow((ZERO,), (1.0,)), [0])[0] == [[7.0, 10.0]]
    assert costs(kit, Follow((BACK,), (1.0,)), [0, 1])[0] == [[1.0, 2.0]] * 2
    assert costs(kit, Follow((kit.expert,), (1.0,)), [1])[0] == [[0.0, 1.0]]


def test_a_roll_out_ends_with_its_episode_and_every_step_and_query_is_counted():
    kit = toy_kit(n_envs=1)
    begin(kit)
    left = 50 - int(kit.env.seeds[0]) % 5
    rollout(kit, kit.expert, left - 4)
    kit.expert.asked.clear()
    found, probe = costs(kit, Follow((kit.expert,), (1.0,)), [0])
    assert sorted(found[0]) == [0.0, 1.0]  # the expert mends a mistake in one step
    assert probe.env_steps == 2 * 4 and probe.queries == sum(kit.expert.asked) == 2 * 3


def test_costs_are_means_over_repeats():
    """Half ZERO and half the expert for whole roll-outs: 0 costs 7 or 0, 1 costs 10 or 1."""
    kit = toy_kit(n_envs=4)
    begin(kit)
    follow = Follow((ZERO, kit.expert), (0.5, 0.5), once=True)
    (pair,), _ = costs(kit, follow, [0], cost_rollouts=CostRollouts(10, 400, 2))
    # The same one follows both actions: their difference is 3 or 1, and both say how often.
    share = pair[0] / 7
    assert pair[1] == pytest.approx(10 * share + (1 - share))
    assert share == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 400))


def test_a_roll_out_keeps_its_member_when_another_ends():
    """Off the track BACK returns and ZERO does not; the first roll-out ends after one step."""
    kit = toy_kit(n_envs=2)
    begin(kit)
    lengths = 50 - kit.env.seeds % 5
    rollout(kit, kit.expert, 2 * (int(lengths.min()) - 1))
    snapshot, ends = kit.env.snapshot(), np.argsort(lengths)
    follow = Follow((ZERO, BACK), (0.5, 0.5), once=True)
    probe = _Probe(kit, TRIES, ZERO, follow, Plan(10, 1, 10_000))
    wrong = 1 - expert_answers(np.zeros(2, int), snapshot["steps"])

    def returns(origin, playing):
        return probe._play(snapshot, np.array(origin), wrong[: len(origin)], np.array(playing))

    alone = [returns([ends[1]], [member])[0] for member in (0, 1)]
    assert alone[0] < alone[1]
    for members in ((0, 1), (1, 0)):
        assert returns(ends, members).tolist() == [-1.0, alone[members[1]]]


def test_trying_leaves_the_running_episodes_alone():
    plain, probed = toy_kit(n_envs=4), toy_kit(n_envs=4)
    for kit in (plain, probed):
        begin(kit)
    watch = _Probe(probed, TRIES, ZERO, Follow((BACK,), (1.0,)), Plan(103, 20, 10_000))
    one, other = rollout(plain, BACK, 103), rollout(probed, BACK, 103, watch=watch)
    assert len(watch.tried) == 20 and watch.env_steps > 200
    for mine, theirs in (
        (one.observations.obs, other.observations.obs),
        (one.rewards, other.rewards),
    ):
        assert np.array_equal(mine, theirs)
    before, after = plain.env.snapshot(), probed.env.snapshot()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert plain.rng.env.save() == probed.rng.env.save()


EXPERT_FOLLOWS = {
    "searn, first round": SEARN(0.4, "rollout", TRIES),
    "lols, expert roll-outs": LOLS(1.0, TRIES),
    "aggrevate": AggreVaTe(LINEAR, TRIES),
}


@pytest.mark.parametrize("name", EXPERT_FOLLOWS)
def test_optimal_and_roll_out_costs_agree_where_the_expert_is_optimal(name):
    """Its answer costs nothing, any other a step off the track, so all rows weigh the same."""
    rounds = 1 if "first" in name else 6
    for state in steps(EXPERT_FOLLOWS[name], kit_of())[:rounds]:
        data = state.data
        assert np.array_equal(data.labels, expert_answers(data.obs[:, 0].astype(int), data.steps))
        assert (data.weights == 1).all()


def test_a_rows_weight_is_what_a_blind_choice_costs_relative_to_the_round():
    kit = toy_kit(steps=200)
    begin(kit)
    follow = Follow((ZERO,), (1.0,))
    data, usage = cost_examples(kit, TRIES, 0, BACK, ZERO, follow)
    assert usage.labels == 0 and data.weights.mean() == pytest.approx(1)
    at_start = data.weights[data.steps == 0]
    off = data[data.obs[:, 0] > 0]
    assert (off.labels == 1).all()
    # At step 0 the costs are 7 and 10, so blindly 1.5 more than the cheapest.
    blind = {1.5 / weight for weight in at_start}
    assert all(value == pytest.approx(min(blind)) for value in blind)


def test_a_blind_choice_costs_the_mean_over_all_actions(monkeypatch):
    """Three actions that cost 0, 1 and 5 on an even step, and 0, 0 and 3 on an odd one."""
    kit = toy_kit(steps=200)
    begin(kit)
    seen = []

    def costs(probe, snapshot, slots, candidates):
        even = probe._kit.env.observation.t[slots] % 2 == 0
        seen.extend(even)
        return np.where(even[:, None], [[2.0, 3.0, 7.0]], [[1.0, 1.0, 4.0]])

    monkeypatch.setattr(_Probe, "_costs", costs)
    monkeypatch.setattr(
        _Probe, "_candidates", lambda probe, rows: np.array([[0, 1, 1]] * len(rows))
    )
    data, _ = cost_examples(kit, TRIES, 0, BACK, ZERO, Follow((ZERO,), (1.0,)))
    regrets = np.where(data.steps % 2 == 0, 2.0, 1.0)
    assert set(regrets) == {1.0, 2.0} and sorted(2.0 * np.array(seen) + 1 * ~np.array(seen)) == (
        sorted(regrets)
    )
    assert data.weights == pytest.approx(regrets / regrets.mean(), rel=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0])
def test_aggrevate_rolls_in_with_the_expert_at_the_rate_beta(beta, monkeypatch):
    actors = []
    monkeypatch.setattr(
        "dagger_cli.trainers.aggrevate.cost_examples",
        lambda kit, tries, round, actor, *rest: (
            actors.append(actor) or cost_examples(kit, tries, round, actor, *rest)
        ),
    )
    kit, trainer = kit_of(), AggreVaTe(Constant(beta), TRIES)
    begin(kit)
    first = trainer.step(trainer.start(kit), kit)
    trainer.step(first, kit)
    assert actors[1].members == (kit.expert, first.policy)
    assert actors[1].weights == (beta, 1 - beta)


def test_searns_roll_outs_follow_the_mixture_that_rolled_in(monkeypatch):
    """After two rounds the expert has (1 - beta)^2 of it, and the last learner beta."""
    calls = []
    monkeypatch.setattr(
        "dagger_cli.trainers.searn.cost_examples",
        lambda *words: calls.append(words[3:]) or cost_examples(*words),
    )
    kit, trainer = kit_of(), SEARN(0.4, "rollout", TRIES)
    begin(kit)
    state = trainer.start(kit)
    for _ in range(3):
        before, state = state, trainer.step(state, kit)
    actor, policy, follow = calls[-1]
    assert actor is policy and not follow.once
    assert follow.members == actor.members == (kit.expert, *before.policy.members)
    assert follow.weights == actor.weights == pytest.approx((0.36, 0.24, 0.4))


def test_where_nothing_costs_anything_the_action_that_was_taken_stays():
    """A roll-out of one step by an environment that pays nothing: all costs are equal."""
    kit = toy_kit(steps=40)
    begin(kit)
    pays = kit.scratch.step
    kit.scratch.step = lambda *words: pays(*words)._replace(rewards=np.zeros(len(words[0])))
    one = Table((1, 1, 1, 1, 1))
    data, _ = cost_examples(kit, CostRollouts(1, 1, 2), 0, one, one, Follow((one,), (1.0,)))
    assert len(data) > 0 and (data.weights == 0).all() and (data.labels == 1).all()


def test_ties_are_ties_however_many_actions_cost_alike(monkeypatch):
    """The mean of seven times 0.2 is not 0.2: one digit less would be a weight below 0."""
    kit = toy_kit(steps=200)
    begin(kit)
    monkeypatch.setattr(
        _Probe,
        "_candidates",
        lambda probe, observation: np.array([[0, 1, 0, 1, 0, 1, 0]] * len(observation)),
    )
    pays = kit.scratch.step
    kit.scratch.step = lambda *words: pays(*words)._replace(rewards=np.full(len(words[0]), -0.01))
    one = Table((1, 1, 1, 1, 1))
    for horizon in (1, 7, 20):
        data, _ = cost_examples(
            kit, CostRollouts(horizon, 1, 2), 0, one, one, Follow((one,), (1.0,))
        )
        assert len(data) > 0 and (data.weights == 0).all() and (data.labels == 1).all()


def test_of_whole_numbers_all_are_tried():
    space = Space("box", (2,), "int8", (0.0, -2.0), (1.0, 2.0))
    draws = _uniform(space, (500, 3), np.random.default_rng(0))
    assert draws.dtype == np.int8
    shares = [np.unique(draws[..., i], return_counts=True) for i in range(2)]
    assert [values.tolist() for values, _ in shares] == [[0, 1], [-2, -1, 0, 1, 2]]
    assert all(counts.min() > 0.8 * counts.mean() for _, counts in shares)


def test_a_plan_never_spends_more_than_the_rounds_labels_and_says_what_is_missing():
    kit, cost_rollouts = toy_kit(steps=103), CostRollouts(8, 1, 3)  # 2 actions, 16 queries at most
    certain = Follow((kit.expert,), (1.0,))
    assert plan(kit, cost_rollouts, 0, certain, free=False) == Plan(52, 3, 51)
    rare = Follow((kit.expert, ZERO), (0.25, 0.75))
    assert plan(kit, cost_rollouts, 0, rare, free=False) == Plan(52, 12, 51)
    assert plan(kit, cost_rollouts, 0, rare, free=True) == Plan(52, 24, 103)
    never = Follow((ZERO,), (1.0,))
    assert plan(kit, cost_rollouts, 0, never, free=False) == Plan(52, 12, 51)
    message = (
        r"2 actions in one state takes up to 60 expert queries, but a round has 103.*labels=600"
    )
    with pytest.raises(ConfigError, match=message):
        plan(kit, CostRollouts(30, 1, 3), 0, certain, free=False)


def test_the_queries_of_a_round_stay_within_it_when_the_expert_acts_more_than_expected():
    kit = toy_kit(steps=103)
    begin(kit)
    kit.expert.asked.clear()
    follow = Follow((ZERO, kit.expert), (0.9, 0.1))
    actor = Mixture((kit.expert, ZERO), (1.0, 0.0))
    for round in range(5):
        _, usage = cost_examples(kit, CostRollouts(8, 1, 2), round, actor, ZERO, follow)
        assert usage.labels <= 103
    assert sum(kit.expert.asked) <= 5 * 103


def test_of_a_box_the_experts_and_the_policys_action_and_draws_within_it_are_tried():
    space = Space("box", (2,), "float32", (-2.0, 0.0), (2.0, np.inf))
    draws = _uniform(space, (500, 3), np.random.default_rng(0))
    assert draws.shape == (500, 3, 2) and draws.dtype == np.float32
    assert draws.min((0, 1)) == pytest.approx([-2, 0], abs=0.05)
    assert draws.max((0, 1)) == pytest.approx([2, 1], abs=0.05)
    assert CostRollouts(10, 2, 5).queries(space) == 5 * 10 * 2 + 1
    beyond = Space("box", (2,), "float32", (5.0, -np.inf), (np.inf, -3.0))
    draws = _uniform(beyond, (500, 3), np.random.default_rng(0))
    assert draws.min((0, 1)) == pytest.approx([5, -4], abs=0.05)
    assert draws.max((0, 1)) == pytest.approx([6, -3], abs=0.05)


@pytest.mark.parametrize("asks", [False, True])
def test_the_action_of_the_expert_in_a_box_is_a_query(asks):
    class Says:
        def __init__(self, action, from_expert):
            self.action, self.from_expert = action, from_expert

        def act(self, observation, rng):
            n = len(observation)
            return Acts(np.full((n, 1), self.action, np.float32), np.full(n, self.from_expert))

    kit = replace(toy_kit(n_envs=3), expert=Says(0.25, True))
    kit.env.action_space = Space("box", (1,), "float32", (-2.0,), (2.0,))
    policy = Says(0.75, asks)  # such as the expert itself, in the first round
    probe = _Probe(kit, CostRollouts(2, 1, 4), policy, Follow((policy,), (1.0,)), Plan(9, 9, 99))
    candidates = probe._candidates(kit.env.observation)
    assert candidates.shape == (3, 4, 1)
    assert (candidates[:, 0] == 0.25).all() and (candidates[:, 1] == 0.75).all()
    assert probe.queries == (6 if asks else 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 1, 2), "trainer.cost_rollouts.horizon must be at least 1, got 0"),
        ((5, 0, 2), "trainer.cost_rollouts.repeats must be at least 1, got 0"),
        ((5, 1, 1), "trainer.cost_rollouts.candidates must be at least 2, got 1"),
    ],
)
def test_tries_that_cannot_work_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        CostRollouts(*values)


def test_without_a_place_to_try_actions_the_trainer_does_not_begin_quietly():
    with pytest.raises(AssertionError, match="must set needs_state_restore"):
        steps(LOLS(0.5, TRIES), replace(kit_of(), scratch=None))
