"""The space of a student's observations, and what they consist of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.frame_rows import Split
from dagger_cli.core.one_hot import OneHotRows
from dagger_cli.core.types import Array, History, Space
from dagger_cli.core.windows import Windows, flat_windows, image_windows
from dagger_cli.views.keep import kept
from dagger_cli.views.view import View

# Observations (n, *obs_shape) and their steps (n,) to changed ones, row by row.
Change = Callable[[Array, Array], Array]
MOST_COMPONENTS = 2**22  # of an observation


@dataclass(frozen=True)
class Layout:
    """A view of one environment: `frame` is the space of one observation before it is stacked.

    `index` (k,) are the components of the full observation that it keeps, None for all;
    `codes` the numbers that each action adds to a stack, 0 without actions; `change` makes the
    observation of the one that the environment returned, for env.wrappers.
    """

    view: View
    frame: Space
    actions: Space
    index: Array | None
    codes: int
    change: Change | None = None

    @property
    def n_actions(self) -> int:
        """The number of actions that a row has, where it has actions."""
        return max(self.view.frames - 1, int(self.view.past))

    @property
    def history(self) -> History:
        """The sizes of what an observation consists of; a row with a chunk has several of them."""
        return History(self.view.stack, self.frame.size, self.codes)

    @property
    def frame_split(self) -> Split | None:
        """The frames of a stack of flat observations; those of images follow from their shape."""
        stack, frame = self.view.frames, self.frame
        return Split(1, stack, frame.size) if stack > 1 and len(frame.shape) == 1 else None

    @cached_property
    def space(self) -> Space:
        """Space of the student's observations: frames, oldest first, then the actions.

        With a chunk it is that of rows, which end with a count.
        """
        k, frame, last = self.view.frames, self.frame, self.view.chunk - 1
        if k == 1 and not self.codes:
            return frame
        if len(frame.shape) == 3:
            return _stacked_images(frame, k, last)
        low, high = frame.low * k, frame.high * k
        if self.codes:
            inner = coded_bounds(self.actions)
            low, high = low + inner[0] * self.n_actions, high + inner[1] * self.n_actions
        if last:
            low, high = (*low, 0.0), (*high, float(last))
        return replace(frame, shape=(len(low),), low=low, high=high)

    @cached_property
    def windows(self) -> Windows | None:
        """Where a row has the observations of the last steps; None without a chunk."""
        view, shape = self.view, self.frame.shape
        if view.chunk == 1:
            return None
        one = replace(self, view=replace(view, chunk=1)).space
        if len(shape) == 3:
            return image_windows(one, view.stack, channel_axis(shape), view.chunk)
        return flat_windows(one, self.history, view.chunk)


def layout(view: View, seen: Space, acted: Space, parts: Mapping[str, tuple[int, int]]) -> Layout:
    """Returns the layout for full observations `seen` and actions `acted`.

    Raises ConfigError where the view does not fit these spaces.
    """
    frame, index = seen, None
    if view.pixels is not None:
        shape = (view.pixels, view.pixels, 1 if view.grey else 3)
        n = int(np.prod(shape))
        frame = Space("box", shape, "uint8", (0.0,) * n, (255.0,) * n)
    elif seen.kind != "box":
        raise ConfigError(
            f"view={{keep, noise, delay, stack}} and policy.chunk change numbers, but observations "
            f"are {seen.kind}: use view=full and policy.chunk=1"
        )
    elif view.keep is not None:
        if len(seen.shape) != 1:
            raise ConfigError(
                f"view.keep selects components of flat observations, but theirs have the shape "
                f"{seen.shape}: leave view.keep out"
            )
        index = kept(view.keep, seen.size, parts)
        low, high = (tuple(np.asarray(ends)[index].tolist()) for ends in (seen.low, seen.high))
        frame = replace(seen, shape=(len(index),), low=low, high=high)
    _check(view, frame, acted)
    codes = code_size(acted) if view.stack_actions else 0
    size = History(view.frames, frame.size, codes).total
    if size > MOST_COMPONENTS:
        raise ConfigError(
            f"{_stacked(view)} makes observations of {size:,} numbers, and at most "
            f"{MOST_COMPONENTS:,} are allowed: use a smaller view.stack or view.pixels"
        )
    return Layout(view, frame, acted, index, codes)


def _check(view: View, frame: Space, acted: Space) -> None:
    if view.noise and frame.whole:
        raise ConfigError(
            f"view.noise adds real numbers, but observations are {frame.dtype}: use view.noise=0"
        )
    if view.frames > 1 and len(frame.shape) not in (1, 3):
        raise ConfigError(
            f"{_stacked(view)} is for flat observations and pictures, but observations have the "
            f"shape {frame.shape}: use 1"
        )
    if len(frame.shape) == 3:
        _check_channels(view, frame)
    if view.stack_actions and len(frame.shape) == 3:
        raise ConfigError("view.stack_actions is for flat observations, not for pictures")
    if view.stack_actions and frame.whole and acted.kind == "box":
        raise ConfigError(
            f"view.stack_actions would round Box actions, as observations are {frame.dtype}"
        )


def channel_axis(shape: tuple[int, ...]) -> int:
    """Returns the axis of the channels of a picture: 2 or 0, by the rule of networks/layers.py."""
    return 2 if shape[2] < shape[0] else 0


def _check_channels(view: View, frame: Space) -> None:
    """Raises ConfigError where the stack would no longer look like channels, see channel_axis."""
    stacked, axis = list(frame.shape), channel_axis(frame.shape)
    stacked[axis] = view.frames * stacked[axis] + (view.chunk > 1)
    if view.frames > 1 and channel_axis(tuple(stacked)) != axis:
        raise ConfigError(
            f"{_stacked(view)} pictures of shape {frame.shape} have more channels than rows: use "
            "a smaller number"
        )


def _stacked(view: View) -> str:
    """Returns the keys that stack frames."""
    chunk = f"policy.chunk={view.chunk}"
    return f"view.stack={view.stack}" + (f" with {chunk}" if view.chunk > 1 else "")


def _stacked_images(frame: Space, k: int, last: int) -> Space:
    """Returns the space of k frames, and, where `last` > 0, a channel of numbers from 0 to it."""
    axis, shape = channel_axis(frame.shape), list(frame.shape)
    shape[axis] = k * shape[axis] + (last > 0)
    low, high = (
        np.concatenate([np.reshape(ends, frame.shape)] * k, axis)
        for ends in (frame.low, frame.high)
    )
    if last:
        plane = np.zeros_like(low.take([0], axis))
        low, high = np.append(low, plane, axis), np.append(high, plane + last, axis)
    ends = (tuple(one.ravel().tolist()) for one in (low, high))
    return replace(frame, shape=tuple(shape), low=next(ends), high=next(ends))


def code_size(acted: Space) -> int:
    """Returns how many numbers describe an action, see `coded`."""
    return acted.size if acted.kind in ("box", "multi_binary") else sum(acted.sizes)


def coder(acted: Space) -> Callable[[Array], Array]:
    """Returns a function from flat actions (n, size) to numbers (n, code_size).

    These are one per choice of Discrete and MultiDiscrete. A Box action is clipped to its bounds,
    as the environment does.
    """
    if acted.kind == "box":
        low, high = np.array(acted.low), np.array(acted.high)
        return lambda flat: np.minimum(np.maximum(flat, low), high)
    if acted.kind == "multi_binary":
        return lambda flat: flat
    return OneHotRows(acted, bool)


def coded_bounds(acted: Space) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns the lowest and highest numbers of `coder`; 0, before the start, is between them."""
    if acted.kind == "box":
        return tuple(min(x, 0.0) for x in acted.low), tuple(max(x, 0.0) for x in acted.high)
    return (0.0,) * code_size(acted), (1.0,) * code_size(acted)
