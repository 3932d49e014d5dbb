from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.policies import Mixture
from dagger_cli.core.seeds import TEST_SEEDS, TRAIN_SEEDS, VALIDATION_SEEDS, EpisodeSeeds
from dagger_cli.core.types import Array, Fitted, Observation
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.loop.rollout import begin, label, rollout
from tests.toys import Table, TableLearner, TrackEnv, expert_answers, toy_kit

ALWAYS_0 = Table((0, 0, 0, 0, 0))


def test_exactly_as_many_steps_as_asked_for_even_when_slots_do_not_divide_them():
    kit = toy_kit(n_envs=4)
    begin(kit)
    visited = rollout(kit, kit.expert, 103)
    assert len(visited) == 103
    assert np.bincount(visited.slots).tolist() == [26, 26, 26, 25]


def test_episodes_go_on_across_rounds_and_partial_ones_are_kept():
    kit = toy_kit(n_envs=2)
    begin(kit)
    first, second = rollout(kit, kit.expert, 20), rollout(kit, kit.expert, 20)
    assert first.observations.t[first.slots == 0].tolist() == list(range(10))
    assert second.observations.t[second.slots == 0].tolist() == list(range(10, 20))


def test_a_new_episode_follows_an_ended_one_and_no_step_is_taken_in_between():
    kit = toy_kit(n_envs=1)
    begin(kit)
    visited = rollout(kit, kit.expert, 120)
    ends = np.flatnonzero(visited.ended)
    assert len(ends) >= 2
    assert (visited.observations.t[ends + 1] == 0).all()
    assert visited.observations.t[0] == 0
    steps = np.delete(np.arange(120), [0, *(ends + 1)])
    assert (np.diff(visited.observations.t)[steps - 1] == 1).all()


def test_what_is_kept_of_a_round_tells_ends_from_cuts():
    """Slot 0 always ends well and slot 1 is always cut; slot 2 does both at once: an end."""

    class Ends(TrackEnv):
        def step(self, slots, actions):
            step = super().step(slots, actions)
            over, fallen = step.truncated, slots == 2
            return step._replace(
                terminated=over & (slots != 1),
                truncated=over & (slots != 0),
                failed=over & fallen,
            )

    kit = replace(toy_kit(n_envs=3), env=Ends(3))
    begin(kit)
    visited = rollout(kit, kit.expert, 500)
    played = label(kit, visited).played
    last = np.append(visited.observations.t[3:] == 0, [False] * 3)
    assert np.bincount(played["slot"][last]).min() >= 3
    assert np.array_equal(played["terminated"], last & (played["slot"] != 1))
    assert np.array_equal(played["truncated"], last & (played["slot"] == 1))
    assert np.array_equal(played["failed"], last & (played["slot"] == 2))
    assert played["last_rows"].tolist() == np.flatnonzero(last).tolist()


def test_training_seeds_are_never_those_of_validation_or_evaluation():
    kit = toy_kit(n_envs=50)
    begin(kit)
    assert all(int(seed) in TRAIN_SEEDS for seed in kit.env.seeds)
    assert TEST_SEEDS.stop <= VALIDATION_SEEDS.start <= VALIDATION_SEEDS.stop <= TRAIN_SEEDS.start


def test_after_the_last_training_seed_comes_the_first():
    seeds = EpisodeSeeds(np.random.default_rng(0))
    seeds.load({"next": TRAIN_SEEDS.stop - 2})
    taken = [seeds.take(n).tolist() for n in (1, 3, 0, 2)]
    first, last = TRAIN_SEEDS.start, TRAIN_SEEDS.stop - 1
    assert taken == [[last - 1], [last, first, first + 1], [], [first + 2, first + 3]]
    seeds.load({"next": TRAIN_SEEDS.stop})  # as saved after the last one
    assert seeds.take(1).tolist() == [first]


def test_labels_are_the_experts_answers_in_the_visited_states_whoever_acted():
    kit = toy_kit()
    begin(kit)
    visited = rollout(kit, Mixture((kit.expert, ALWAYS_0), (0.5, 0.5)), 400)
    data = label(kit, visited)
    assert np.array_equal(data.obs, visited.observations.obs)
    states = data.obs[:, 0].astype(int)
    assert np.array_equal(data.labels, expert_answers(states, data.steps))
    assert (data.labels != visited.acts.actions).any()  # the learner did err somewhere


def test_the_expert_is_asked_once_a_state_and_in_one_batch_where_it_need_not_act():
    kit = toy_kit(n_envs=4)
    begin(kit)
    visited = rollout(kit, Mixture((kit.expert, ALWAYS_0), (0.5, 0.5)), 400)
    acted = sum(kit.expert.asked)
    label(kit, visited)
    assert sum(kit.expert.asked) == 400
    assert kit.expert.asked[-1] == 400 - acted

    kit.expert.asked.clear()
    label(kit, rollout(kit, ALWAYS_0, 400))
    assert kit.expert.asked == [400]


class Timid:
    """Calls every action fatal in the states above 2."""

    def unsafe_actions(self, observation: Observation) -> Array:
        return np.repeat(observation.obs[:, :1] > 2, 2, axis=1)


def test_warnings_come_with_the_labels_of_the_rows_that_are_kept():
    kit = replace(toy_kit(), safety_expert=Timid())
    begin(kit)
    visited = rollout(kit, ALWAYS_0, 400)
    where = np.arange(400) % 3 == 0
    for data in (label(kit, visited), label(kit, visited, where)):
        assert np.array_equal(data.fatal[:, 0], data.obs[:, 0] > 2)
        assert data.fatal.any() and not data.fatal.all()
    assert label(toy_kit(), visited).fatal is None


class Broken(TrackEnv):
    """Pays what is no number for the eleventh step of an episode."""

    def step(self, slots, actions):
        step = super().step(slots, actions)
        rewards = np.where(self._steps[slots] == 11, np.nan, step.rewards)
        return step._replace(rewards=rewards)


def test_a_reward_that_is_no_number_is_noticed():
    kit = replace(toy_kit(), env=Broken(4))
    begin(kit)
    rollout(kit, kit.expert, 40)
    with pytest.raises(EnvError, match="a reward that is not a finite number"):
        rollout(kit, kit.expert, 8)
    with pytest.raises(EnvError, match="a reward that is not a finite number"):
        evaluate(Broken(4), kit.expert, range(4), np.random.default_rng(0))


def test_a_fit_that_diverges_is_noticed():
    class Diverging(TableLearner):
        def fit(self, data, start, rng):
            return Fitted(ALWAYS_0, float("nan"))

    kit = replace(toy_kit(), learner=Diverging())
    begin(kit)
    with pytest.raises(ConfigError, match=r"the fit diverged: .* a smaller policy.learning_rate"):
        kit.fit(label(kit, rollout(kit, kit.expert, 40)), None)
