"""HG-DAgger: human-gated DAgger (Kelly et al. 2019, Alg. 1), with a scripted gate for the human.

The learner acts; a human supervisor takes control when it goes wrong and returns it afterwards.
Only the states in which the expert acts become data. The scripted gate gives control to the expert
where the action distance exceeds `enter` and returns it below `leave`.

Differs from the paper: the gate is scripted, and its doubt threshold is not learned; the expert
acts in the whole first round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.loop.gating import ScriptedGate, check_threshold, gather


@dataclass(frozen=True)
class HGDAgger:
    """Thresholds are action distances: fractions of the range (Box) or of the components."""

    enter: float
    leave: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_threshold("enter", self.enter)
        check_threshold("leave", self.leave)
        if self.leave > self.enter:
            raise ConfigError(
                f"trainer.leave={self.leave} is above trainer.enter={self.enter}: the expert would "
                "return control at once; set it to the same or less"
            )

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one iteration of Alg. 1."""
        last = state.policy
        gate = ScriptedGate(kit, last, self.enter, self.leave) if last else None
        data, usage, metrics = gather(state, kit, gate)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {**metrics, "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner."""
        return state.policy or kit.expert
