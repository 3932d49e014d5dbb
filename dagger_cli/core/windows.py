"""Rows with the observations of the last steps: where each of them is.

Networks that predict a chunk of actions get such rows: what was seen i steps ago predicts the
action of now, too (policies/chunk_head.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagger_cli.core.types import Array, History, Space

MOST_CHUNK = 100  # actions; a row has so many observations
MOST_STACK = 1000  # observations in one


@dataclass(frozen=True, eq=False)
class Windows:
    """Positions in a flattened row, newest observation first.

    `space` is that of one observation; `index` (chunk, space.size) int64 the numbers of that of i
    steps ago; `count` the position of how many earlier observations of the episode the row has.
    Those that it lacks are zeros.
    """

    space: Space
    index: Array
    count: int

    @property
    def chunk(self) -> int:
        """The number of observations in a row."""
        return len(self.index)


def flat_windows(space: Space, history: History, chunk: int) -> Windows:
    """Returns the windows of rows of frames, oldest first, then actions, then the count.

    `space` and `history` are those of one observation, which may have several frames itself.
    """
    stack, size, code = history
    frames = stack + chunk - 1
    numbers = np.arange(frames * size + (frames - 1) * code + 1)
    seen, acted = numbers[: frames * size], numbers[frames * size : -1]
    found = [
        np.concatenate([seen[i * size :][: stack * size], acted[i * code :][: (stack - 1) * code]])
        for i in reversed(range(chunk))
    ]
    return Windows(space, np.array(found), len(numbers) - 1)


def image_windows(space: Space, stack: int, axis: int, chunk: int) -> Windows:
    """Returns the windows of images with the frames, then the count, on the axis of channels.

    One observation has `stack` frames; every pixel of the last channel is the count.
    """
    channels = space.shape[axis] // stack  # of one frame
    shape = list(space.shape)
    shape[axis] = (stack + chunk - 1) * channels + 1
    numbers = np.arange(np.prod(shape)).reshape(shape)
    found = [
        numbers.take(range(i * channels, (i + stack) * channels), axis).ravel()
        for i in reversed(range(chunk))
    ]
    return Windows(space, np.array(found), int(numbers.take(-1, axis).flat[0]))
