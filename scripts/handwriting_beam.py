"""Training on states of a beam search, for decoding by beam search; on validation words.

    python scripts/handwriting_beam.py data=path/to/letter.data.gz [seeds=0,1] [rounds=4]

DAgger with the all-pairs SVM on eight folds (test fold 0, validation fold 1). From the second round
on, it labels the states of greedy decoding, or as many drawn from all hypotheses of a beam of 3.
Prints the accuracy of the last policy on the validation words per decoding. Takes 20 CPU seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.seeds import TRAIN_SEEDS, VALIDATION_SEEDS
from dagger_cli.core.types import Acts, Array, Observation, Policy
from dagger_cli.envs.handwriting.source import handwriting
from dagger_cli.envs.sequences.source import SequenceSource
from dagger_cli.experts.oracle import Oracle
from dagger_cli.loop.beam_search import Scorer, beam_search
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.policies.svm import SvmLearner

DEFAULTS = {"data": "", "seeds": "0,1", "rounds": "4"}
GREEDY, TRAINED, WIDTHS = 1, 3, (1, 3, 10)
SVM = {  # conf/policy/svm.yaml
    "reduction": "all_pairs",
    "decode": "margins",
    "regularization": 1e-4,
    "learning_rate": 0.05,
    "row_visits": 1_000_000,
}


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    if set(given) - set(DEFAULTS) or not given["data"]:
        print(__doc__)
        return 2
    split = {"fold": 0, "held_out": 1, "validate_on_test": False}
    sight = {"history": 1, "before": 0, "after": 0}
    source = handwriting(id="handwriting", data=given["data"], **split, **sight)
    print("| seed | trained on the states of | greedy, % | beam of 3, % | beam of 10, % |")
    print("|" + "---|" * 5)
    for seed in map(int, given["seeds"].split(",")):
        for name, width in (("greedy", GREEDY), ("a beam of 3", TRAINED)):
            policy = train(source, width, int(given["rounds"]), seed)
            reached = " | ".join(f"{100 * accuracy(source, policy, w):.2f}" for w in WIDTHS)
            print(f"| {seed} | {name} | {reached} |", flush=True)
    return 0


class Remembers:
    """Policy that records every state in which it acts, with the true label."""

    def __init__(self, policy: Policy) -> None:
        self._policy, self._obs, self._labels = policy, list[Array](), list[Array]()

    def act(self, observation: Observation, rng: np.random.Generator) -> Acts:
        """Returns the policy's actions."""
        self._keep(observation)
        return self._policy.act(observation, rng)

    def scores(self, observation: Observation) -> Array:
        """Returns the policy's scores."""
        self._keep(observation)
        assert isinstance(self._policy, Scorer)
        return self._policy.scores(observation)

    def _keep(self, observation: Observation) -> None:
        assert observation.privileged is not None
        self._obs.append(observation.obs.copy())
        self._labels.append(observation.privileged.copy())

    def rows(self) -> Dataset:
        """Returns all states so far as one round of labelled rows."""
        labels = np.concatenate(self._labels)
        n = len(labels)
        return Dataset(np.concatenate(self._obs), np.zeros(n, np.int64), labels, (n,))


def train(source: SequenceSource, width: int, rounds: int, seed: int) -> Policy:
    spaces = {"observations": source.observation_space, "actions": source.action_space}
    learner, rng = SvmLearner(**spaces, **SVM), np.random.default_rng(seed)
    policy: Policy = Oracle().load("handwriting", *spaces.values())
    data = None
    for round in range(rounds):
        fresh = visited(source, policy, width if round else GREEDY)
        kept = rng.permutation(len(fresh))[: source.sequences.lengths[source.split.train].sum()]
        data = aggregate(data, fresh[kept])
        policy = learner.fit(data, None, rng).policy
    return policy


def visited(source: SequenceSource, policy: Policy, width: int) -> Dataset:
    """Returns the states of one pass over the training words."""
    words, watched = len(source.split.train), Remembers(policy)
    seeds = range(TRAIN_SEEDS.start, TRAIN_SEEDS.start + words)
    if width == GREEDY:
        evaluate(source.open(words), watched, seeds, np.random.default_rng(0))
    else:
        beam_search(source.open(width * words), watched, seeds, width)
    return watched.rows()


def accuracy(source: SequenceSource, policy: Policy, width: int) -> float:
    words = source.validation_episodes
    seeds = range(VALIDATION_SEEDS.start, VALIDATION_SEEDS.start + words)
    score = beam_search(source.open(width * words), policy, seeds, width)
    return float(score.returns.sum() / score.lengths.sum())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
