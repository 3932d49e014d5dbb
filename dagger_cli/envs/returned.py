"""Checks of what an environment's `reset` and `step` return, in the words of Gymnasium."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from dagger_cli.core.types import Array, Space

RESET = "def reset(self, *, seed=None, options=None)"
PAIR = "it must return (observation, info)"
FIVE = "it must return (observation, reward, terminated, truncated, info)"


class WrongReturn(ValueError):
    """A return value that Gymnasium's interface does not have; the text says what was expected."""


class Observed:
    """Converts observations to arrays of their space; raises WrongReturn for what does not fit."""

    def __init__(self, space: Space) -> None:
        self._space, self._dtype = space, np.dtype(space.dtype)
        self._choices: tuple[Array, Array] | None = None
        if space.kind != "box":
            lowest = np.full(space.shape, space.start)
            highest = lowest + np.reshape(np.array(space.sizes) - 1, space.shape)
            self._choices = lowest, highest

    def __call__(self, observation: Any) -> Array:
        """Returns the observation, of the space's shape and of values that its dtype can hold."""
        array = np.asarray(observation)
        if array.shape != self._space.shape:
            if not array.size == self._space.size == 1:
                raise WrongReturn(
                    f"observation of shape {array.shape}, but its space has {self._space.shape}"
                )
            array = array.reshape(self._space.shape)
        if array.dtype != self._dtype:
            self._check_values(array)
        if self._choices is not None:
            lowest, highest = self._choices
            wrong = (array < lowest) | (array > highest)
            if wrong.any():
                raise WrongReturn(
                    f"the observation {array[wrong][0]} is none of the choices of its "
                    f"observation_space, which end at {highest.max()}"
                )
        return array

    def _check_values(self, array: Array) -> None:
        """Raises WrongReturn where a value changes if it is converted to the space's dtype."""
        if array.dtype.kind not in "biuf":
            raise WrongReturn(f"an observation of {array.dtype} is not made of numbers")
        if self._dtype.kind == "f":
            if array.dtype.kind == "f":
                wrong = (np.abs(array) > np.finfo(self._dtype).max) & np.isfinite(array)
            else:
                return
        else:
            bounds = np.iinfo(np.int8 if self._dtype.kind == "b" else self._dtype)
            wrong = ~((array >= bounds.min) & (array <= bounds.max))
            if array.dtype.kind == "f":
                wrong |= array != np.rint(array)
        if wrong.any():
            raise WrongReturn(
                f"the observation {array[wrong][0]} does not fit the {self._dtype} of its "
                "observation_space: declare the dtype of what is returned, such as float32"
            )


def reset_observation(returned: Any) -> Any:
    """Returns the observation of what `reset` returned; raises WrongReturn."""
    pair = isinstance(returned, tuple | list) and len(returned) == 2
    if not pair or not isinstance(returned[1], Mapping | None):
        raise WrongReturn(f"{PAIR}, got {_described(returned)}")
    return returned[0]


def step_parts(returned: Any) -> tuple[Any, float, bool, bool]:
    """Returns observation, reward, terminated and truncated; raises WrongReturn."""
    if not isinstance(returned, tuple | list) or len(returned) != 5:
        raise WrongReturn(f"{FIVE}, got {_described(returned)}")
    observation, reward, terminated, truncated, _ = returned
    return observation, _number(reward), bool(terminated), bool(truncated)


def _number(reward: Any) -> float:
    """Returns a reward that is a number or an array of one."""
    try:
        return float(reward)
    except (TypeError, ValueError):
        pass
    array = np.asarray(reward)
    if array.size == 1 and array.dtype.kind in "biuf":
        return float(array.item())
    raise WrongReturn(f"the reward must be a number, got {_described(reward)}")


def picture(frame: Any) -> Array:
    """Returns what `render` returned, (height, width, 3) uint8; raises WrongReturn.

    Of a list of frames, as `rgb_array_list` has it, the last.
    """
    if isinstance(frame, list) and frame and np.ndim(frame[-1]) == 3:
        frame = frame[-1]
    array = np.asarray(frame)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or array.dtype != np.uint8:
        what = f"{array.dtype} of shape {array.shape}" if array.ndim else _described(frame)
        raise WrongReturn(f"it must return a picture (height, width, 3) uint8, got {what}")
    return array[:, :, :3]


def interface_hint(env: Any, doing: str, err: BaseException) -> str:
    """Returns words on an exception that comes from the interface of old versions; or ''."""
    if doing == "reset" and isinstance(err, TypeError):
        try:
            parameters = inspect.signature(env.unwrapped.reset).parameters
        except (TypeError, ValueError):
            return ""
        any_key = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        if not any_key and not {"seed", "options"} <= parameters.keys():
            return f"; write {RESET}"
    if isinstance(err, ValueError) and "to unpack (expected" in str(err):  # in a wrapper
        return f"; {PAIR if doing == 'reset' else FIVE}"
    return ""


def _described(returned: Any) -> str:
    if isinstance(returned, np.ndarray):
        return f"an array of shape {returned.shape}"
    if isinstance(returned, tuple | list):
        return f"{len(returned)} values"
    return "None" if returned is None else f"a {type(returned).__name__}"
