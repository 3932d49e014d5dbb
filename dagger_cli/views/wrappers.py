"""`env.wrappers`: changes of the observations that everybody sees, on every backend.

They have the names of rl-baselines3-zoo's wrappers and do the same, so agents that were trained
behind them find what they know. For what the student alone should see, there is the group `view`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.time_left import with_time_left
from dagger_cli.core.types import Array, Space
from dagger_cli.core.values import at_least, one_of
from dagger_cli.views.layout import Change, Layout, layout
from dagger_cli.views.mission import LETTERS, FlatObs
from dagger_cli.views.view import View

# Components that MaskVelocityWrapper sets to 0, by the environment's id without its version.
VELOCITIES = {
    "CartPole": (1, 3),
    "MountainCar": (1,),
    "MountainCarContinuous": (1,),
    "Pendulum": (2,),
    "LunarLander": (2, 3, 5),
    "LunarLanderContinuous": (2, 3, 5),
}


@dataclass(frozen=True)
class MaskVelocity:
    """Sets velocities to 0."""

    components: tuple[int, ...]

    def __call__(self, obs: Array, steps: Array) -> Array:
        """Returns rows of the same length."""
        rows: Array = obs.copy()
        rows[:, self.components] = 0
        return rows


def time_feature(source: Any, value: Any) -> Layout:
    """Appends the time left; raises ConfigError without a limit, or for pictures."""
    _no_value("time_feature", value)
    space = _flat("time_feature", source.observation_space)
    if source.horizon is None:
        raise ConfigError(
            "env.wrappers: time_feature needs a step limit: set env.max_episode_steps=1000"
        )
    wider = replace(
        space,
        shape=(space.size + 1,),
        dtype="float32",
        low=(*space.low, 0.0),
        high=(*space.high, 1.0),
    )
    return _changed(source, wider, partial(with_time_left, horizon=source.horizon))


def mask_velocity(source: Any, value: Any) -> Layout:
    """Sets velocities to 0; raises ConfigError where they are not known."""
    _no_value("mask_velocity", value)
    name = str(source.id).rpartition("-v")[0]
    if name not in VELOCITIES:
        raise ConfigError(
            f"env.wrappers: mask_velocity knows the velocities of {', '.join(VELOCITIES)}, not of "
            f"{source.id}: use view=keys view.keep=[...]"
        )
    space = _flat("mask_velocity", source.observation_space)
    return _changed(source, space, MaskVelocity(VELOCITIES[name]))


def flat_obs(source: Any, value: Any) -> Layout:
    """Returns MiniGrid's image and its mission, letter by letter, as FlatObsWrapper does.

    `value` is the number of letters that there are, None for that of MiniGrid 2 and later.
    """
    letters = LETTERS if value is None else value
    if type(letters) is not int or letters not in (LETTERS, LETTERS - 1):
        raise ConfigError(
            f"env.wrappers: flat_obs has {LETTERS} letters, or {LETTERS - 1} for agents of "
            f"gym_minigrid, got {value!r}"
        )
    parts = getattr(source, "parts", {})
    if not {"image", "mission"} <= set(parts):
        raise ConfigError(
            "env.wrappers: flat_obs is for MiniGrid's observations with an image and a mission, "
            f"which '{source.id}' does not have: leave it out"
        )
    change = FlatObs(parts["image"], parts["mission"], letters)
    numbers = change.parts["mission"][1]
    space = Space("box", (numbers,), "uint8", (0.0,) * numbers, (255.0,) * numbers)
    return _changed(source, space, change)


def frame_stack(source: Any, value: Any) -> Layout:
    """Stacks the last `value` observations, zeros before the first."""
    if type(value) is not int:
        raise ConfigError("env.wrappers: frame_stack needs a number: [{frame_stack: 4}]")
    at_least("env.wrappers.frame_stack", value, 2, 4)
    return layout(View(stack=value), source.observation_space, source.action_space, {})


WRAPPERS = {
    "time_feature": time_feature,
    "frame_stack": frame_stack,
    "mask_velocity": mask_velocity,
    "flat_obs": flat_obs,
}


def named(wrappers: Sequence[Any]) -> list[tuple[str, Any]]:
    """Returns names and values of a list such as [time_feature, {frame_stack: 4}]."""
    pairs: list[tuple[str, Any]] = []
    for entry in wrappers:
        one = entry if isinstance(entry, Mapping) else {entry: None}
        if len(one) != 1:
            raise ConfigError(f"env.wrappers: {dict(one)} must be one wrapper and its value")
        pairs += [(str(name), value) for name, value in one.items()]
    for name, _ in pairs:
        one_of("env.wrappers", name, WRAPPERS)
    return pairs


def _changed(source: Any, space: Space, change: Change) -> Layout:
    return Layout(View(), space, source.action_space, None, 0, change)


def _no_value(name: str, value: Any) -> None:
    if value is not None:
        raise ConfigError(f"env.wrappers: {name} has no value, got {value!r}")


def _flat(name: str, space: Space) -> Space:
    if space.kind != "box" or len(space.shape) != 1:
        raise ConfigError(
            f"env.wrappers: {name} is for flat observations, these are {space.kind} {space.shape}"
        )
    return space
