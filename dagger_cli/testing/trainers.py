"""Checks of trainers, on the toy problem of track.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from dagger_cli.core.serialization import pack, unpack
from dagger_cli.core.state import State
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import run
from dagger_cli.loop.trainer import completed
from dagger_cli.testing.drawing import equal
from dagger_cli.testing.policies import check_policy
from dagger_cli.testing.track import TableLearner, toy_kit

ROUNDS, STEPS = 4, 103


def check_trainer(trainer: Any) -> None:
    """Checks a trainer over four rounds of the toy problem.

    Only `step(state, kit)` is required. Rounds, labels and steps must be counted, the deployed
    policy must be one without the expert, the same seed must give the same run, and a run resumed
    from its saved policy must equal the uninterrupted one.
    """
    whole = completed(trainer)
    kit, states = toy_kit(ROUNDS, STEPS), []
    begin(kit)
    state = whole.start(kit)
    for i in range(ROUNDS):
        state = whole.step(state, kit)
        states.append(state)
        assert state.round == i + 1, f"state.round is {state.round} after {i + 1} rounds"
        used, most = state.usage, STEPS * (i + 1)
        assert used.labels <= most, f"{used.labels} labels after {i + 1} rounds of {STEPS}"
        assert used.env_steps > 0, "state.usage.env_steps counts no steps of the environment"
        rows = 0 if state.data is None else len(state.data.rounds)
        assert rows == i + 1, f"state.data has {rows} rounds after {i + 1}; use kit.aggregate"
    deployed = whole.deploy(state, kit)
    assert deployed is not kit.expert, "the deployed policy is the expert itself"
    check_policy(deployed, kit.env.observation_space, kit.env.action_space)
    acts = deployed.act(kit.env.observation, np.random.default_rng(0))
    assert not acts.from_expert.any(), "the deployed policy still queries the expert"

    assert equal(_packed(_trained(trainer)), _packed(state)), "the same seed gives another run"
    resumed = _resumed(trainer, at=2)
    assert equal(_packed(resumed), _packed(state)), (
        "a resumed run differs from an uninterrupted one"
    )


def _trained(trainer: Any) -> State:
    kit, whole = toy_kit(ROUNDS, STEPS), completed(trainer)
    begin(kit)
    return run(whole, kit, whole.start(kit), None, None, 0.0, (), regret=False)[0]


def _resumed(trainer: Any, at: int) -> State:
    """Returns the last state of a run that was packed and restored after `at` rounds."""
    kit, whole = toy_kit(ROUNDS, STEPS), completed(trainer)
    begin(kit)
    state = whole.start(kit)
    for _ in range(at):
        state = whole.step(state, kit)
    assert state.policy is not None
    arrays = pack(state.policy, kit.learner)
    other = toy_kit(ROUNDS, STEPS)
    other.env.restore(kit.env.snapshot())
    other.rng.load(kit.rng.save())
    policy = unpack(arrays, other.learner, other.env.action_space)
    state = State(state.round, policy, state.data, state.usage, state.metrics)
    return run(whole, other, state, None, None, 0.0, (), regret=False)[0]


def _packed(state: State) -> dict[str, Any]:
    assert state.policy is not None and state.data is not None
    return {**pack(state.policy, TableLearner()), **state.data.columns}
