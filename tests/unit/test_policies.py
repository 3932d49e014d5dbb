import itertools

import numpy as np
import pytest

from dagger_cli.core.policies import EpisodeMixture, Mixture
from dagger_cli.core.types import Acts, Observation
from tests.toys import Table, TableExpert


class Echo:
    """Answers with its own number times 1000 plus the row's observation."""

    def __init__(self, number: int, asked: bool) -> None:
        self.number, self.asked, self.batches = number, asked, 0

    def act(self, observation, rng):
        self.batches += 1
        return Acts(
            1000 * self.number + observation.obs[:, 0], np.full(len(observation), self.asked)
        )


def rows(n: int) -> Observation:
    return Observation(np.arange(n, dtype=np.float32)[:, None], np.zeros(n, np.int64))


def test_members_act_in_the_frequencies_of_their_weights():
    members = (Echo(100, True), Echo(200, False), Echo(300, False))
    acts = Mixture(members, (0.2, 0.5, 0.3)).act(rows(20_000), np.random.default_rng(0))
    shares = np.bincount((acts.actions // 100_000).astype(int), minlength=4)[1:] / 20_000
    # Five standard deviations of the largest share: about one chance in two million to fail.
    assert shares == pytest.approx([0.2, 0.5, 0.3], abs=5 * np.sqrt(0.25 / 20_000))


def test_every_row_gets_its_own_answer_back():
    members = (Echo(0, True), Echo(0, False), Echo(0, False))
    acts = Mixture(members, (0.2, 0.5, 0.3)).act(rows(999), np.random.default_rng(0))
    assert np.array_equal(acts.actions, np.arange(999))
    # 999 draws at 0.2: the standard deviation is 12.6, so 5 of them is about one in two million.
    assert acts.from_expert.sum() == pytest.approx(0.2 * 999, abs=5 * 12.6)
    assert [member.batches for member in members] == [1, 1, 1]


def test_a_certain_member_is_the_only_one_asked():
    certain, never = Echo(1, False), Echo(2, True)
    for weights, members in (((1.0, 0.0), (certain, never)), ((0.0, 1.0), (never, certain))):
        acts = Mixture(members, weights).act(rows(50), np.random.default_rng(0))
        assert (acts.actions // 1000 == 1).all() and not acts.from_expert.any()
    assert never.batches == 0


def test_a_mixture_draws_anew_at_every_step():
    mixture = Mixture((TableExpert(), Table((0, 0, 0, 0, 0))), (0.5, 0.5))
    rng = np.random.default_rng(0)
    drawn = [mixture.act(rows(1), rng).from_expert[0] for _ in range(64)]
    assert 0 < sum(drawn) < 64 and len(set(itertools.pairwise(drawn))) == 4


def test_a_member_of_an_episode_stays_until_the_next_begins():
    """Slot 2 is not stepped at first; episodes that ran before draw at the first call, too."""
    n, rng = 3000, np.random.default_rng(0)
    mixture = EpisodeMixture((Table((0,) * 5), Table((1,) * 5), Table((2,) * 5)), (0.5, 0.2, 0.3))

    def acted(steps):
        rows = Observation(np.zeros((len(steps), 1), np.float32), np.array(steps))
        return mixture.act(rows, rng).actions

    def in_their_shares(actions):
        shares = np.bincount(actions, minlength=3) / len(actions)
        return np.abs(shares - [0.5, 0.2, 0.3]).max() < 0.05

    running = acted([7] * (n - 500))
    assert in_their_shares(running)
    all_slots = acted([8] * n)  # 500 more join, amid their episodes
    assert np.array_equal(all_slots[: n - 500], running) and in_their_shares(all_slots[n - 500 :])
    new = np.arange(n) % 3 == 0
    after = acted(np.where(new, 0, 9))
    assert np.array_equal(after[~new], all_slots[~new]) and in_their_shares(after[new])
    assert (after[new] != all_slots[new]).any()
    assert np.array_equal(acted([1] * 10), after[:10])  # the last step of a round, with few slots
    assert np.array_equal(acted([2] * n), after)
