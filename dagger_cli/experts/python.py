"""`expert=python`: any function from an observation to an action."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import EnvError, ExpertError
from dagger_cli.core.types import Acts, Array, Card, Env, Expert, Observation, Space
from dagger_cli.core.values import in_range
from dagger_cli.experts.python_answers import NoAction, all_at_once, one_by_one
from dagger_cli.experts.python_target import (
    STEP,
    Function,
    check_target,
    digest,
    imported,
    takes_step,
)
from dagger_cli.utils.time_limit import time_limit

TRIED, TRIED_SEED = 8, 0  # steps of an episode of the test seeds
WHOLE = (
    "with expert.batched=true the function gets whole batches; set expert.batched=false, or its "
    "attribute rowwise = True where its answer to a row never depends on the others"
)
MEMORY = "this function is random or has a memory, so that its answers depend on their order"


@dataclass(frozen=True)
class Python:
    """`target`: "package.name" or "package:object.method"; `batched`: takes (n, ...) observations.

    A batched function returns (n, *action_shape).
    """

    target: str
    batched: bool
    timeout: float | None = None  # seconds for one answer

    def __post_init__(self) -> None:
        check_target(self.target)
        if self.timeout is not None:
            in_range("expert.timeout", self.timeout, "(0, inf)", 10)

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        function = imported(self.target)
        source = f"python:{self.target}"
        sha256 = digest(self.target, function)
        card = Card(name=self.target, source=source, sha256=sha256, code=True)
        told = takes_step(function)
        call = function if self.timeout is None else _limited(function, self.timeout)
        stays = WHOLE if self.batched and not getattr(function, "rowwise", False) else ""
        return PythonExpert(call, self.target, self.batched, told, action_space, card, stays)


@dataclass(frozen=True)
class PythonExpert:
    """Expert that calls the function for every row, or for all rows at once.

    `told`: the function has the parameter `episode_step` and gets the step of the episode (batched:
    an array (n,) int64), 0 for the first observation.
    """

    function: Function
    target: str
    batched: bool
    told: bool
    action_space: Space
    card: Card
    stays_because: str

    def tried(self, env: Env) -> PythonExpert:
        """Plays a few steps in one slot; adds a note where the same questions get other answers.

        The questions are repeated in another order, so that a memory shows.
        """
        rng, slot = np.random.default_rng(0), np.zeros(1, np.int64)
        env.reset(slot, np.array([TRIED_SEED]))
        asked: list[tuple[Observation, Array]] = []
        for _ in range(TRIED):
            now = env.observation
            seen = Observation(now.obs.copy(), now.t.copy())
            asked.append((seen, self.act(seen, rng).actions))
            if env.step(slot, asked[-1][1]).ended[0]:
                break
        again = [(self.act(seen, rng).actions, action) for seen, action in reversed(asked)]
        if all(np.array_equal(one, other) for one, other in again):
            return self
        note = (
            f"'{self.target}' gave two answers to one observation: it is random, or has a memory "
            "that is shared by all environments and episodes. Its labels then depend on the order "
            f"of the questions; see docs/experts.md on {STEP}."
        )
        card = replace(self.card, notes=(*self.card.notes, note))
        return replace(self, card=card, stays_because=MEMORY)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        obs = observation.obs
        if obs.dtype.kind == "f" and not np.isfinite(obs).all():
            raise EnvError("the environment gave an observation that is not a finite number")
        shape = self.action_space.shape
        answer = self._answer(observation)
        try:
            if self.batched:
                actions = all_at_once(answer, len(obs), shape)
            else:
                actions = one_by_one(answer, shape)
        except NoAction as err:
            each = "for all observations" if self.batched else "for every observation"
            batched = "true" if self.batched else "false"
            raise ExpertError(
                f"'{self.target}' must return an action of shape {shape} {each}, but it returned "
                f"{err} (with expert.batched={batched})"
            ) from err
        return Acts(self._played(actions), np.ones(len(observation), dtype=bool))

    def _answer(self, observation: Observation) -> Any:
        obs, steps = observation.obs, observation.t
        try:
            if self.batched:
                return self.function(obs, **self._known(steps))
            return [
                self.function(row, **self._known(step))
                for row, step in zip(obs, steps.tolist(), strict=True)
            ]
        except (Exception, SystemExit) as err:  # the user's code may raise anything
            reason = f"{type(err).__name__}: {err}"
            raise ExpertError(f"'{self.target}' failed on an observation ({reason})") from err

    def _known(self, step: Any) -> dict[str, Any]:
        return {STEP: step} if self.told else {}

    def _played(self, actions: Array) -> Array:
        """Returns the actions in the space's dtype; raises ExpertError for impossible ones."""
        space, n = self.action_space, len(actions)
        if not np.isfinite(actions).all():
            raise ExpertError(f"'{self.target}' returned an action that is not a finite number")
        if space.kind == "box":
            # Clipped as in the environment, so that labels are attainable actions.
            inside = np.clip(actions.reshape(n, -1).astype(np.float64), space.low, space.high)
            return space.cast(inside).reshape(n, *space.shape)
        flat, last = actions.reshape(n, -1), space.start + np.array(space.sizes) - 1
        wrong = (flat < space.start) | (flat > last) | (flat != np.rint(flat))
        if wrong.any():
            raise ExpertError(
                f"'{self.target}' returned {flat[wrong][0]}, which is none of the choices: whole "
                f"numbers from {space.start} to {', '.join(map(str, sorted(set(last.tolist()))))}"
            )
        return actions.astype(space.dtype)


def _limited(function: Function, seconds: float) -> Function:
    error = TimeoutError(f"longer than {seconds:g} s (expert.timeout)")

    def call(obs: Array, **known: Any) -> Any:
        with time_limit(seconds, error):
            return function(obs, **known)

    return call
