"""The interface of an algorithm, and the defaults of what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy


class Trainer(Protocol):
    """An algorithm: hyper-parameters and the body of its loop over rounds.

    Only `step` is required of a trainer in a config; `completed` adds the rest.
    """

    @property
    def needs_state_restore(self) -> bool:
        """Whether it tries actions from visited states, in `kit.scratch` (default: False)."""
        ...

    @property
    def fits_on_aggregate(self) -> bool:
        """Whether its newest policy is fitted on the data of all rounds (default: True)."""
        ...

    def start(self, kit: Kit) -> State:
        """Returns the state before the first round (default: `State()`)."""
        ...

    def step(self, state: State, kit: Kit) -> State:
        """Runs one round: rolls out, labels, fits."""
        ...

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the policy to ship after these rounds (default: the state's own)."""
        ...


_REQUIRED = "step"
_OPTIONAL = ("needs_state_restore", "fits_on_aggregate", "start", "deploy")


def completed(trainer: Any) -> Trainer:
    """Returns the trainer with defaults for what it leaves out; ConfigError without a `step`."""
    if not callable(getattr(trainer, _REQUIRED, None)):
        raise ConfigError(
            f"trainer {type(trainer).__name__} has no method step(state, kit), which every trainer "
            "needs: see docs/extending.md"
        )
    complete = all(hasattr(trainer, name) for name in _OPTIONAL)
    result: Trainer = trainer if complete else _Completed(trainer)
    return result


@dataclass(frozen=True)
class _Completed:
    trainer: Any

    @property
    def needs_state_restore(self) -> bool:
        return bool(getattr(self.trainer, "needs_state_restore", False))

    @property
    def fits_on_aggregate(self) -> bool:
        return bool(getattr(self.trainer, "fits_on_aggregate", True))

    def start(self, kit: Kit) -> State:
        start = getattr(self.trainer, "start", None)
        return State() if start is None else start(kit)

    def step(self, state: State, kit: Kit) -> State:
        result: State = self.trainer.step(state, kit)
        return result

    def deploy(self, state: State, kit: Kit) -> Policy:
        deploy = getattr(self.trainer, "deploy", None)
        return (state.policy or kit.expert) if deploy is None else deploy(state, kit)
