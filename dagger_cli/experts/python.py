"""`expert=python`: any callable from observation to action."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Acts, Array, Card, Expert, Observation, Space
from dagger_cli.utils.imports import import_named


@dataclass(frozen=True)
class Python:
    """`target`: "package.name" or "package:name"; `batched`: it takes (n, ...) observations."""

    target: str
    batched: bool

    def __post_init__(self) -> None:
        if not all(_split(self.target)):
            raise ConfigError(
                f"expert.target must look like my_pkg.my_fn or my_pkg:my_fn, got '{self.target}'"
            )

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        function = _import(self.target)
        digest = _digest(self.target, function)
        source = f"python:{self.target}"
        card = Card(name=self.target, source=source, sha256=digest, code=True)
        expert = PythonExpert(function, self.target, self.batched, action_space, card)
        blank = np.zeros((1, *observation_space.shape), dtype=observation_space.dtype)
        expert.act(Observation(blank, np.zeros(1, dtype=np.int64)), np.random.default_rng(0))
        return expert


@dataclass(frozen=True)
class PythonExpert:
    """Expert that calls the function for every row, or for all rows at once."""

    function: Callable[[Any], Any]
    target: str
    batched: bool
    action_space: Space
    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        try:
            actions = np.asarray(self._answer(observation.obs))
        except (Exception, SystemExit) as err:  # the user's code may raise anything
            reason = f"{type(err).__name__}: {err}"
            raise ExpertError(f"'{self.target}' failed on an observation ({reason})") from err
        return Acts(self._checked(actions, len(observation)), np.ones(len(observation), dtype=bool))

    def _answer(self, obs: Array) -> Any:
        return self.function(obs) if self.batched else [self.function(row) for row in obs]

    def _checked(self, actions: Array, n: int) -> Array:
        wanted = (n, *self.action_space.shape)
        if actions.shape != wanted or actions.dtype.kind not in "biuf":
            each = "for all observations" if self.batched else "for every observation"
            raise ExpertError(
                f"'{self.target}' must return an action of shape {wanted[1:]} {each}, "
                f"got {actions.dtype} of shape {actions.shape} for {n}; "
                "set expert.batched to whether it takes many observations at once"
            )
        self._check_values(actions)
        space = self.action_space
        if space.kind != "box":
            return actions.astype(space.dtype)
        # Clipped as in the environment, so that labels are attainable actions.
        inside = np.clip(actions.reshape(n, -1).astype(np.float64), space.low, space.high)
        return space.cast(inside).reshape(wanted)

    def _check_values(self, actions: Array) -> None:
        space = self.action_space
        if not np.isfinite(actions).all():
            raise ExpertError(f"'{self.target}' returned an action that is not a finite number")
        if space.kind == "box":
            return  # out-of-bounds ones are clipped
        flat, last = actions.reshape(len(actions), -1), space.start + np.array(space.sizes) - 1
        wrong = (flat < space.start) | (flat > last) | (flat != np.rint(flat))
        if wrong.any():
            raise ExpertError(
                f"'{self.target}' returned {flat[wrong][0]}, which is none of the choices: whole "
                f"numbers from {space.start} to {', '.join(map(str, sorted(set(last.tolist()))))}"
            )


def _split(target: str) -> tuple[str, str]:
    module, _, name = target.rpartition(":" if ":" in target else ".")
    return module, name


def _import(target: str) -> Callable[[Any], Any]:
    module, name = _split(target)
    try:
        function = getattr(import_named(module), name)
    except (Exception, SystemExit) as err:  # an import may raise anything
        reason = f"{type(err).__name__}: {err}"
        raise ExpertError(f"cannot import expert.target '{target}' ({reason})") from err
    if not callable(function):
        raise ExpertError(f"expert.target '{target}' is not callable; name a function")
    found: Callable[[Any], Any] = function
    return found


def _digest(target: str, function: Callable[[Any], Any]) -> str:
    """Returns the sha256 of the source, if available, so that a run detects a changed function."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = target
    return hashlib.sha256(text.encode()).hexdigest()
