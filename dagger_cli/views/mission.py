"""MiniGrid's observations as agents of stable-baselines3 see them: FlatObsWrapper in arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagger_cli.core.types import Array

LETTERS = 28  # a to z, space and comma; gym_minigrid, before it was MiniGrid 2, had no comma
OTHERS = {ord(" "): 26, ord(","): 27}


def _codes() -> Array:
    """Returns the number of each character (256,), -1 for those without one."""
    codes = np.full(256, -1)
    for begin in (ord("a"), ord("A")):
        codes[begin : begin + 26] = np.arange(26)
    codes[list(OTHERS)] = list(OTHERS.values())
    return codes


CODES = _codes()


@dataclass(frozen=True)
class FlatObs:
    """Function from rows with the parts of MiniGrid's Dict to those of FlatObsWrapper.

    `image` and `mission` are first and last column (exclusive) of these parts; the mission is a
    text of at most so many characters, zeros after its end.
    """

    image: tuple[int, int]
    mission: tuple[int, int]
    letters: int

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Returns first and last column (exclusive) of image and mission in the new rows."""
        pixels, places = (stop - first for first, stop in (self.image, self.mission))
        return {"image": (0, pixels), "mission": (pixels, pixels + places * self.letters)}

    def __call__(self, obs: Array, steps: Array) -> Array:
        """Returns uint8 rows of observations (n, d): the image, then one per place and letter."""
        text = obs[:, slice(*self.mission)].astype(np.int64)
        written = CODES[text][:, :, None] == np.arange(self.letters)
        image = obs[:, slice(*self.image)].astype(np.uint8)
        return np.concatenate([image, written.reshape(len(obs), -1).astype(np.uint8)], axis=1)
