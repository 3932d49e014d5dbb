"""Every trainer, small enough for the track of tests/toys.py, and what tests do with them."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.kit import Kit
from dagger_cli.core.schedules import Indicator, Linear
from dagger_cli.core.state import State
from dagger_cli.loop.cost_to_go import CostRollouts
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import run
from dagger_cli.loop.trainer import Trainer
from dagger_cli.loop.validate import Validation
from dagger_cli.trainers.aggrevate import AggreVaTe
from dagger_cli.trainers.dagger import DAgger
from dagger_cli.trainers.dart import DART
from dagger_cli.trainers.ensemble_dagger import EnsembleDAgger
from dagger_cli.trainers.forward import Forward
from dagger_cli.trainers.hg_dagger import HGDAgger
from dagger_cli.trainers.lols import LOLS
from dagger_cli.trainers.safe_dagger import SafeDAgger
from dagger_cli.trainers.searn import SEARN
from dagger_cli.trainers.smile import SMILe
from dagger_cli.trainers.sup import Sup
from tests.toys import TableExpert, TrackEnv, toy_kit

ROUNDS = 6
TRIES = CostRollouts(horizon=8, repeats=1, candidates=3)
LINEAR = Linear(1.0, 0.0, 6, "round")

TRAINERS: dict[str, Trainer] = {
    "sup": Sup(),
    "forward": Forward(slot=None, horizon=None),
    "smile": SMILe(0.3),
    "searn": SEARN(0.4, "optimal", TRIES),
    "searn by roll-outs": SEARN(0.4, "rollout", TRIES),
    "dagger": DAgger(LINEAR, "step", "aggregate"),
    "dagger by episode": DAgger(LINEAR, "episode", "aggregate"),
    "dagger latest": DAgger(Indicator("round"), "step", "latest"),
    "dagger ogd": DAgger(Indicator("round"), "step", "ogd"),
    "aggrevate": AggreVaTe(LINEAR, TRIES),
    "lols": LOLS(0.5, TRIES),
    "dart": DART(1.0),
    "safe_dagger": SafeDAgger(0.05),
    "ensemble_dagger": EnsembleDAgger(3, 0.05),
    "hg_dagger": HGDAgger(0.1, 0.05),
}


def steps(trainer: Trainer, kit: Kit) -> list[State]:
    """The states after each of the kit's rounds, with nothing measured."""
    begin(kit)
    states = [trainer.start(kit)]
    for _ in range(kit.budget.rounds):
        states.append(trainer.step(states[-1], kit))
    return states[1:]


def trained(trainer: Trainer, kit: Kit, observers=(), *, regret: bool = True) -> State:
    begin(kit)
    return go_on(trainer, kit, trainer.start(kit), None, observers, regret=regret)


def go_on(trainer, kit, state, best, observers=(), *, regret: bool = True) -> State:
    validation = Validation(TrackEnv(5), TableExpert(), range(0, 25, 5), seed=0, queries=20)
    return run(trainer, kit, state, best, validation, 0.0, observers, regret=regret)[0]


def kit_of(seed: int = 0) -> Kit:
    return toy_kit(ROUNDS, 103, seed=seed)


def score(policy, n: int = 5) -> float:
    """Mean return over episodes of full length."""
    return evaluate(TrackEnv(5), policy, range(0, 5 * n, 5), np.random.default_rng(0)).mean
