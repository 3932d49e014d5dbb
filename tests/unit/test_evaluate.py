import numpy as np
import pytest

from dagger_cli.core.errors import EnvError
from dagger_cli.loop.evaluate import evaluate
from tests.toys import HORIZON, Table, TableExpert, TrackEnv


def score(n_envs: int, seeds, policy=None, progress=lambda done, steps: None):
    rng = np.random.default_rng(0)
    return evaluate(TrackEnv(n_envs), policy or Table((0, 0, 0, 0, 0)), seeds, rng, progress)


def test_by_hand():
    """Always 0: on the track for 3 steps (0, 1, 2), off it from the fourth to the end."""
    result = score(3, [10, 11, 12, 13])
    assert result.lengths.tolist() == [HORIZON, HORIZON - 1, HORIZON - 2, HORIZON - 3]
    assert result.returns.tolist() == [-(HORIZON - 3.0 - i) for i in range(4)]
    assert result.mean == pytest.approx(-(HORIZON - 4.5))
    assert result.std == pytest.approx(np.std([0, 1, 2, 3]))
    assert result.stderr == pytest.approx(np.std([0, 1, 2, 3], ddof=1) / 2)


@pytest.mark.parametrize("n_envs", [1, 2, 5, 23, 64])
def test_one_episode_per_seed_however_many_slots(n_envs):
    seeds = list(range(100, 123))
    reference, result = score(1, seeds), score(n_envs, seeds)
    assert np.array_equal(result.returns, reference.returns)
    assert np.array_equal(result.lengths, reference.lengths)
    assert result.seeds.tolist() == seeds


def test_progress_counts_up_to_all_episodes():
    told: list[tuple[int, int]] = []
    result = score(4, range(10), progress=lambda *both: told.append(both))
    assert told == sorted(told) and told[-1] == (10, result.lengths.sum())


def test_an_episode_that_never_ends_is_stopped(monkeypatch):
    class Endless(TrackEnv):
        def step(self, slots, actions):
            step = super().step(slots, actions)
            self.reset(slots[step.ended], slots[step.ended])
            return step._replace(
                terminated=step.terminated & False, truncated=step.truncated & False
            )

    monkeypatch.setattr("dagger_cli.loop.evaluate.MOST_STEPS", 50)
    with pytest.raises(EnvError, match=r"no episode has ended in 50 steps: set env\.max_episode"):
        evaluate(Endless(2), TableExpert(), range(3), np.random.default_rng(0))


def test_many_episodes_may_take_more_steps_than_one(monkeypatch):
    monkeypatch.setattr("dagger_cli.loop.evaluate.MOST_STEPS", HORIZON + 1)
    assert score(2, range(20)).lengths.sum() > 10 * HORIZON


def test_the_expert_never_leaves_the_track():
    assert score(4, range(20), TableExpert()).returns.tolist() == [0.0] * 20


def test_the_standard_error_of_one_episode_is_zero():
    assert score(1, [5]).stderr == 0.0
