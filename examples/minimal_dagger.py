"""DAgger with the Python API and without Hydra: python examples/minimal_dagger.py"""

import numpy as np

from dagger_cli import Budget, Kit, Mixture, RngStreams, begin, evaluate, label, rollout
from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.bundled import Bundled
from dagger_cli.policies.sources import mlp_learner

ROUNDS, STEPS_PER_ROUND, N_ENVS = 5, 200, 8

source = GymSource(
    id="CartPole-v1",
    imports=None,
    kwargs={},
    max_episode_steps=None,
    fresh_simulator=False,
    workers=0,
    backend="auto",
    failure="terminated",
)
spaces = source.observation_space, source.action_space
expert = Bundled(deterministic=True).load(source.id, *spaces)
learner = mlp_learner(
    *spaces,
    sizes=[64, 64],
    activation="relu",
    loss="auto",
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=0.0,
    batch_size=64,
    epochs=None,
    gradient_steps=300,
    warm_start=True,
    decay=True,
    normalize=True,
    threads=1,
)
budget = Budget(rounds=ROUNDS, steps_per_round=STEPS_PER_ROUND, labels=None)
kit = Kit(source.open(N_ENVS), expert, learner, budget, RngStreams.spawn(0))

begin(kit)
policy, data = None, None
for i in range(ROUNDS):
    beta = 1.0 if i == 0 else 0.0  # the expert acts in the first round, the student after it
    actor = Mixture((expert, policy or expert), (beta, 1 - beta))
    visited = rollout(kit, actor, STEPS_PER_ROUND)
    data = kit.aggregate(data, label(kit, visited))  # the expert labels every visited state
    policy, loss = kit.fit(data, policy)
    score = evaluate(source.open(N_ENVS), policy, range(1000, 1020), np.random.default_rng(0))
    print(f"round {i + 1}: {len(data)} labels, loss {loss:.3f}, return {score.mean:.1f}")
