"""Letters per second of the all-pairs SVM on one core: the best of five passes.

    python scripts/handwriting_speed.py data=path/to/letter.data.gz

Decodes the test words of fold 0 greedily with a policy fitted on one pass: the policy alone on all
observations at once, then `evaluate` with the environment, as `dagger eval` does. Seconds are CPU
seconds of this process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from dagger_cli.config.components import open_for
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Observation
from dagger_cli.envs.handwriting.source import handwriting
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.policies.svm import SvmLearner

SIGHT = {"history": 1, "before": 0, "after": 0}
SVM = {"reduction": "all_pairs", "decode": "margins", "regularization": 1e-4, "learning_rate": 0.05}


def main(words: Sequence[str]) -> int:
    given = dict(word.partition("=")[::2] for word in words)
    if set(given) != {"data"}:
        print(__doc__)
        return 2
    split = {"fold": 0, "held_out": 0, "validate_on_test": False}
    source = handwriting(id="handwriting", data=given["data"], **split, **SIGHT)
    labels = source.sequences.labels
    seen = np.zeros((len(labels), source.observation_space.size), np.uint8)
    seen[:, : source.sequences.tokens.shape[1]] = source.sequences.tokens
    spaces = {"observations": source.observation_space, "actions": source.action_space}
    rng, steps = np.random.default_rng(0), np.zeros(len(labels), np.int64)
    learner = SvmLearner(**spaces, **SVM, row_visits=len(labels))
    policy = learner.fit(Dataset(seen, steps, labels, (len(labels),)), None, rng).policy
    seeds = range(source.test_episodes)
    env, observation = open_for(source, len(seeds)), Observation(seen, steps)
    n_test = int(source.sequences.lengths[source.split.test].sum())
    alone = fastest(lambda: policy.act(observation, rng))
    whole = fastest(lambda: evaluate(env, policy, seeds, rng))
    print(f"the policy alone          {len(labels) / alone:9,.0f} letters a second")
    print(f"with the environment      {n_test / whole:9,.0f} letters a second")
    return 0


def fastest(work: Callable[[], object]) -> float:
    """Returns the CPU seconds of the fastest of five calls, after one that compiles."""
    work()
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
