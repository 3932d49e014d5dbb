"""Conversion of what a user's function returned to actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dagger_cli.core.types import Array

NUMBERS = "biuf"  # kinds of dtypes


class NoAction(ValueError):
    """An answer that is no action; the text says what it is instead."""


def one_by_one(answers: Sequence[Any], shape: tuple[int, ...]) -> Array:
    """Converts one answer per observation to (n, *shape); raises NoAction."""
    together = _array(answers)  # the usual case: one call for all
    if together is None or together.shape != (len(answers), *shape):
        together = np.stack([_taken(answer, lambda a: _shaped(a, shape)) for answer in answers])
    return together


def all_at_once(answer: Any, n: int, shape: tuple[int, ...]) -> Array:
    """Converts one answer for n observations to (n, *shape); raises NoAction."""

    def shaped(actions: Array) -> Array | None:
        if actions.ndim == 0 or len(actions) != n:
            return None
        fits = _without_ones(actions.shape[1:]) == _without_ones(shape)
        return actions.reshape(n, *shape) if fits else None

    return _taken(answer, shaped)


def _taken(answer: Any, shaped: Callable[[Array], Array | None]) -> Array:
    """Returns the answer in its shape; of a pair (action, state), as `predict` returns, the first.

    `predict` is stable-baselines3's.
    """
    states = (type(None), Mapping, tuple)
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], states):
        whole = None if answer[1] is None else _array(answer)
        if whole is None or shaped(whole) is None:
            answer = answer[0]
    actions = _array(answer)
    found = None if actions is None else shaped(actions)
    if found is None:
        raise NoAction(_described(answer, actions))
    return found


def _shaped(action: Array, shape: tuple[int, ...]) -> Array | None:
    """Returns the action in `shape`; a number is taken for an array of one and vice versa."""
    return action.reshape(shape) if _without_ones(action.shape) == _without_ones(shape) else None


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(side for side in shape if side != 1)


def _array(answer: Any) -> Array | None:
    """Returns the answer as an array; None where it does not consist of numbers."""
    if hasattr(answer, "detach"):  # a tensor of torch, maybe with a gradient or on a GPU
        answer = answer.detach().cpu()
    try:
        array = np.asarray(answer)
    except Exception:  # ragged lists, lists of tensors with gradients
        return None
    return array if array.dtype.kind in NUMBERS else None


def _described(answer: Any, array: Array | None) -> str:
    if answer is None:
        return "None: is a return missing?"
    if isinstance(answer, tuple):
        return f"a tuple of {len(answer)}: return only the action"
    if array is None:
        return f"an object of type {type(answer).__name__}"
    return "a single number" if array.shape == () else f"{array.dtype} of shape {array.shape}"
