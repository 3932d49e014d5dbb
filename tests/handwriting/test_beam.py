"""Beam search finds what greedy decoding misses, and is greedy where it is 1 wide."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Acts
from dagger_cli.envs.sequences.env import ObservationConfig, SequenceEnv
from dagger_cli.envs.sequences.table import Sequences
from dagger_cli.experts.oracle import Oracle
from dagger_cli.loop.beam_search import beam_search
from dagger_cli.loop.evaluate import evaluate

from .conftest import source


class Chain:
    """Scores of a token's own label and of pairs of neighbours, drawn at random."""

    def __init__(self, seed: int, classes: int = 3) -> None:
        rng = np.random.default_rng(seed)
        self.own, self.pairs = rng.normal(size=(9, classes)), rng.normal(size=(classes, classes))

    def scores(self, observation):
        before = observation.obs[:, 1:]
        return self.own[observation.obs[:, 0].astype(int)] + 2 * before @ self.pairs

    def act(self, observation, rng):
        return Acts(self.scores(observation).argmax(1), np.zeros(len(observation), bool))


class LongChain(Chain):
    """Scores that depend on the last two labels, of which each hypothesis has its own."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.further = np.random.default_rng([seed, 1]).normal(size=(3, 3))

    def scores(self, observation):
        token, last, further = (
            observation.obs[:, 0],
            observation.obs[:, 1:4],
            observation.obs[:, 4:],
        )
        return self.own[token.astype(int)] + 2 * last @ self.pairs + 3 * further @ self.further

    def searched(self, tokens, width) -> list[int]:
        """The best labelling of a beam of lists, in plain Python."""
        beam = [(0.0, [])]
        for token in tokens:
            longer = []
            for score, labels in beam:
                for label in range(3):
                    gain = self.own[token, label]
                    gain += 2 * self.pairs[labels[-1], label] if labels else 0
                    gain += 3 * self.further[labels[-2], label] if len(labels) > 1 else 0
                    longer.append((score + gain, [*labels, label]))
            beam = sorted(longer, key=lambda one: -one[0])[:width]
        return beam[0][1]


def chain_env(n_envs: int, history: int = 1) -> SequenceEnv:
    tokens = np.arange(9, dtype=np.float32)[:, None]
    labels = np.array([0, 1, 2, 0, 0, 1, 2, 2, 1])
    sequences = Sequences(tokens, labels, np.array([0, 4, 6, 9]), ("a", "b", "c"))
    return SequenceEnv(sequences, ObservationConfig(history, 0, 0), lambda seeds: seeds % 3, n_envs)


def total(chain: Chain, tokens, answers) -> float:
    scores = sum(chain.own[t, a] for t, a in zip(tokens, answers, strict=True))
    return scores + 2 * sum(chain.pairs[a, b] for a, b in pairwise(answers))


@pytest.mark.parametrize("seed", range(20))
def test_a_wide_beam_finds_the_best_of_all_labellings(seed):
    chain = Chain(seed)
    found = beam_search(chain_env(3 * 81), chain, [0, 1, 2], 81)
    labels = [[0, 1, 2, 0], [0, 1], [2, 2, 1]]
    for i, (first, right) in enumerate(zip((0, 4, 6), labels, strict=True)):
        tokens = range(first, first + len(right))
        best = max(product(range(3), repeat=len(right)), key=lambda a: total(chain, tokens, a))
        assert found.returns[i] == sum(a == b for a, b in zip(best, right, strict=True))
    assert found.lengths.tolist() == [4, 2, 3]


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_hypotheses_keep_their_own_history(width):
    """A hypothesis that moves to another slot takes its last labels with it."""
    labels = [[0, 1, 2, 0], [0, 1], [2, 2, 1]]
    for seed in range(20):
        chain = LongChain(seed)
        found = beam_search(chain_env(3 * width, history=2), chain, [0, 1, 2], width)
        for i, (first, right) in enumerate(zip((0, 4, 6), labels, strict=True)):
            best = chain.searched(range(first, first + len(right)), width)
            assert found.returns[i] == sum(a == b for a, b in zip(best, right, strict=True))


def test_a_beam_of_one_is_greedy():
    for seed in range(10):
        chain = Chain(seed)
        greedy = evaluate(chain_env(2), chain, [0, 1, 2], np.random.default_rng(0))
        beam = beam_search(chain_env(3), chain, [0, 1, 2], 1)
        np.testing.assert_array_equal(greedy.returns, beam.returns)
        np.testing.assert_array_equal(greedy.lengths, beam.lengths)


def test_a_right_answer_can_come_from_a_second_thought():
    """Greedy takes label 1 first; only 0 leads to the high pair score."""
    chain = Chain(0)
    chain.own = np.zeros((9, 3))
    chain.own[:, 1] = 0.1
    chain.pairs = np.zeros((3, 3))
    chain.pairs[0, 1] = 5.0
    env = chain_env(2)
    assert evaluate(env, chain, [1], np.random.default_rng(0)).returns.tolist() == [1]
    assert beam_search(env, chain, [1], 2).returns.tolist() == [2]


def test_who_cannot_search_says_so():
    real = source()
    oracle = Oracle().load("x", real.observation_space, real.action_space)
    with pytest.raises(ConfigError, match="OracleExpert does not"):
        beam_search(real.open(2), oracle, [0], 2)
    with pytest.raises(ConfigError, match="width must be at least 1"):
        beam_search(real.open(2), Chain(0), [0], 0)
