"""HG-DAgger: human-gated DAgger (Kelly et al. 2019, Alg. 1), with a scripted gate for the human.

The learner acts; somebody looks on, takes over when it goes wrong, and gives back when things are
well again. Only what the expert did while in charge becomes data. The script takes over where the
learner's action is more than `enter` away from the expert's and gives back below `leave`.

Differs from the paper: the gate is a script and not a person, and its doubt threshold is not
learned; the first round is the expert's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.loop.gating import Watcher, check_threshold, gather


@dataclass(frozen=True)
class HGDAgger:
    """Distances between actions are shares of their range (Box) or of their components."""

    enter: float
    leave: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_threshold("enter", self.enter)
        check_threshold("leave", self.leave)
        if self.leave > self.enter:
            raise ConfigError(
                f"trainer.leave={self.leave} is above trainer.enter={self.enter}: who takes over "
                "there would give back at once; set it to the same or less"
            )

    def start(self, kit: Kit) -> State:
        """Nothing learned, nothing collected."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """One iteration of Alg. 1."""
        last = state.policy
        gate = Watcher(kit, last, self.enter, self.leave) if last else None
        data, usage, metrics = gather(state, kit, gate)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {**metrics, "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The newest learner."""
        return state.policy or kit.expert
