"""Picture of a lap for people: the kart from behind, a map, and what the driver's camera sees."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.envs.kart.atlas import FINEST, make_atlas
from dagger_cli.envs.kart.camera import Camera
from dagger_cli.envs.kart.driving import FALLS, SHADOWS_X, SHADOWS_Y, STEERING, TRAVELLED
from dagger_cli.envs.kart.shadows import CELL, SIDE, shadows
from dagger_cli.envs.kart.surface import surface
from dagger_cli.envs.kart.track import HALF_WIDTH, Track, make_track

if TYPE_CHECKING:
    from dagger_cli.envs.kart.env import KartEnv

HEIGHT, WIDTH = 360, 640  # px
CHASE = Camera(HEIGHT, WIDTH, np.radians(70), height=3.4, back=7.0, tilt=np.radians(15), block=1)
SAMPLES = ((0.25, 0.3), (0.75, 0.7))  # places in a near pixel, whose mean is shown
AWAY = 1e6  # m: from there only space is seen


class Scene:
    """The surroundings of karts on a track, seen from behind them."""

    def __init__(self, number: int) -> None:
        self.track: Track = make_track(number)
        self._atlas = make_atlas(number, "pixels", CHASE.block)

    def draw(self, kart: Array, *, quick: bool = False) -> Array:
        """Returns (HEIGHT, WIDTH, 3) uint8 for the numbers (N_NUMBERS,) of a kart.

        `quick` leaves the pixels near the kart as coarse as the atlas.
        """
        image = self._look(kart)
        if quick:
            return image
        space = self._look(np.concatenate([[AWAY, AWAY], kart[2:]]))
        rows, columns = self._near
        total = np.zeros((len(rows), 3))
        for down, right in SAMPLES:
            total += self._exact(kart, rows + down, columns + right, space[rows, columns])
        image[rows, columns] = np.rint(total / len(SAMPLES))
        return image

    @cached_property
    def _near(self) -> tuple[Array, Array]:
        """Pixels that are smaller than a cell of the atlas, which is too coarse for them."""
        rows, columns = np.divmod(np.arange(HEIGHT * WIDTH), WIDTH)
        ahead, _ = CHASE.ground(rows + 1.0, columns + 0.5)
        further, _ = CHASE.ground(rows + 0.0, columns + 0.5)
        near = np.flatnonzero(further - ahead < 2 * FINEST)  # False for NaN
        return rows[near], columns[near]

    def _look(self, kart: Array) -> Array:
        image = np.empty((1, HEIGHT, WIDTH, 3), np.uint8)
        CHASE.look(self._atlas, kart[None], np.zeros(1, np.int64), image)
        return image[0]

    def _exact(self, kart: Array, row: Array, column: Array, space: Array) -> Array:
        """Returns colours (n, 3) in [0, 255] of places in the image, without the atlas."""
        ahead, left = CHASE.ground(row, column)
        cos, sin = np.cos(kart[2]), np.sin(kart[2])
        ahead = ahead - CHASE.back
        x, y = kart[0] + cos * ahead - sin * left, kart[1] + sin * ahead + cos * left
        along, aside = self.track.locate(np.stack([x, y], axis=1))
        on = np.flatnonzero(np.abs(aside) <= HALF_WIDTH)
        line = ((y[on] + kart[SHADOWS_Y]) / CELL).astype(np.int64) % SIDE
        place = ((x[on] + kart[SHADOWS_X]) / CELL).astype(np.int64) % SIDE
        colours = space.astype(np.float64)
        lit = surface(self.track, along[on], aside[on]) * shadows()[line, place][:, None]
        colours[on] = 255 * lit
        return colours


@cache
def scene_of(number: int) -> Scene:
    """Returns the scene of a track."""
    return Scene(number)


def picture(env: KartEnv, slot: int = 0, *, quick: bool = False) -> Array:
    """Returns the picture of a slot, (HEIGHT, WIDTH, 3) uint8; `quick`: see `Scene.draw`."""
    from dagger_cli.envs.kart.overlay import add_overlay

    kart = env.numbers[slot]
    image = scene_of(env.rules.track).draw(kart, quick=quick)
    done = min(max(kart[TRAVELLED] / env.track.length, 0.0), 1.0)
    words = f"falls {env.counts[slot, FALLS]}", f"lap {100 * done:.0f} %"
    return add_overlay(image, env.track, kart, float(kart[STEERING]), words, driver_view(env, slot))


def driver_view(env: KartEnv, slot: int) -> Array:
    """Returns what the policy sees as (rows, columns, 3) uint8, of L*a*b* values as RGB bytes."""
    from dagger_cli.envs.kart.env import VIEWS

    if env.rules.observation == "pixels":
        return np.asarray(env.observation.obs[slot])
    camera = VIEWS["lab"].camera
    image = np.empty((1, camera.rows, camera.columns, 3), np.uint8)
    atlas = make_atlas(env.rules.track, "pixels", camera.block)
    camera.look(atlas, env.numbers[slot][None], np.zeros(1, np.int64), image)
    return image[0]
