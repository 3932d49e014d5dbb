"""HG-DAgger: human-gated DAgger (Kelly et al. 2019, Alg. 1).

The learner acts; a human supervisor takes control when it goes wrong and returns it afterwards.
Only the states in which the expert acts become data. With `expert=human` the gate is the person.
For all other experts it is scripted: it gives control to the expert where the action distance
exceeds `enter` and returns it below `leave`.

Differs from the paper: the doubt threshold is not learned; the expert acts in the whole first
round; without a person the gate is scripted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import InCharge, Policy
from dagger_cli.loop.gating import Gate, PersonGate, ScriptedGate, check_threshold, gather


@dataclass(frozen=True)
class HGDAgger:
    """Thresholds are action distances: fractions of the range (Box) or of the components."""

    enter: float
    leave: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True
    person_gates: ClassVar[bool] = True  # with expert=human the person takes over and gives back

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
        data, usage, metrics = gather(state, kit, self._gate(state, kit))
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {**metrics, "train/loss": loss})

    def _gate(self, state: State, kit: Kit) -> Gate | None:
        """Returns the person's gate, else the scripted one; None before there is a learner."""
        if state.policy is None:
            return None
        if isinstance(kit.expert, InCharge):
            return PersonGate(kit.expert)
        return ScriptedGate(kit, state.policy, self.enter, self.leave)

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner."""
        return state.policy or kit.expert
