"""trainer.roll_in=uniform: the expert acts up to a step drawn per episode, then the mixture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.roll_in import UniformRollIn
from dagger_cli.core.schedules import Indicator
from dagger_cli.core.types import Acts, Observation
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import run
from dagger_cli.trainers.dagger import DAgger
from tests.unit.test_trainers import toy_kit

HORIZON = 9


class Says:
    """Acts with its own number, and notes how many rows it got."""

    def __init__(self, number: int) -> None:
        self.number, self.rows = number, []

    def act(self, observation, rng):
        self.rows.append(len(observation))
        n = len(observation)
        return Acts(np.full(n, self.number), np.full(n, self.number == 0))


def episodes(n, steps=HORIZON, seed=0):
    """Who acted at each step of n episodes that start together, (steps, n): 0 is the expert."""
    expert, learner = Says(0), Says(1)
    actor, rng = UniformRollIn(expert, learner, HORIZON), np.random.default_rng(seed)
    rows = [actor.act(Observation(np.zeros((n, 1)), np.full(n, t)), rng) for t in range(steps)]
    return np.stack([row.actions for row in rows]), np.stack([row.from_expert for row in rows])


def test_the_expert_acts_first_and_never_again():
    who, from_expert = episodes(200)
    assert (np.diff(who, axis=0) >= 0).all()
    np.testing.assert_array_equal(from_expert, who == 0)


def test_the_switch_is_uniform_from_0_to_the_limit():
    """Of 20,000 episodes a tenth switches at each of the ten steps: within 5 standard errors."""
    who, _ = episodes(20_000)
    switches = np.bincount((who == 0).sum(axis=0), minlength=HORIZON + 1)
    noise = 5 * np.sqrt(20_000 * 0.1 * 0.9)
    assert (abs(switches - 2000) < noise).all()


def test_every_episode_draws_its_own_step_also_after_others_joined():
    expert, learner = Says(0), Says(1)
    actor, rng = UniformRollIn(expert, learner, HORIZON), np.random.default_rng(0)
    drawn = set()
    for _ in range(50):  # two slots, then three: of the new one nothing is known yet
        for n in (2, 3):
            actor.act(Observation(np.zeros((n, 1)), np.zeros(n, int)), rng)
            drawn.add(tuple(actor._switch.tolist()))
    assert len(drawn) > 90


def test_without_a_limit_it_is_refused():
    kit = replace(toy_kit(3), horizon=None)
    begin(kit)
    trainer = DAgger(Indicator("round"), "step", "aggregate", "uniform")
    with pytest.raises(ConfigError, match=r"roll_in=uniform draws a step below .* lacks"):
        run(trainer, kit, trainer.start(kit), None, None, 0.0, ())
    run(trainer, replace(kit, horizon=5), trainer.start(kit), None, None, 0.0, ())


def test_an_unknown_roll_in_is_named():
    with pytest.raises(ConfigError, match=r"trainer\.roll_in must be one of none, uniform"):
        DAgger(Indicator("round"), "step", "aggregate", "expert")
