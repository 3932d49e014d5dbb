"""The driver's camera: for every pixel the places on the ground and the direction that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.envs.kart.atlas import FINEST, LEVELS, Atlas
from dagger_cli.envs.kart.shadows import CELL, SIDE, shadows
from dagger_cli.envs.kart.space import COLUMNS, LOWEST, ROWS
from dagger_cli.utils.compiled import kernel

FAR = 60.0  # m: the ground beyond is not drawn
MOST_RAYS = 2  # in a pixel, one above the other
U1, U2, U3, U4, U5, U6, U7 = (np.uintp(i) for i in range(1, 8))


class Rays(NamedTuple):
    """Rays of a camera to the ground, and its pixels' directions, in the frame of the kart."""

    first: Array  # (pixels + 1,) int64: the rays of a pixel are first[p] to first[p + 1] - 1
    ahead: Array  # (rays,) m from the camera to the place on the ground that a ray meets
    left: Array  # (rays,) m
    level: Array  # (rays,) int64: level of the atlas
    share: Array  # (rays,) float32: of the pixel
    column: Array  # (pixels,): of the panorama's blocks, 0 straight ahead
    row: Array  # (pixels,) int64: index of the first block of the row


@dataclass(frozen=True)
class Camera:
    """A pinhole camera above the kart, which looks ahead and down."""

    rows: int
    columns: int
    field: float  # rad: horizontal angle of view
    height: float  # m above the ground
    back: float  # m behind the kart
    tilt: float  # rad below the horizon
    block: int = 8  # of the atlas that it reads: directions per side of a block of the panorama

    @property
    def focus(self) -> float:
        """Focal length in pixels."""
        return float(self.columns / 2 / np.tan(self.field / 2))

    def directions(self, row: Array, column: Array) -> tuple[Array, Array, Array]:
        """Returns rays ahead, to the left and up, for places in the image in pixels."""
        right, down = (column - self.columns / 2) / self.focus, (row - self.rows / 2) / self.focus
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        return cos - down * sin, -right, -sin - down * cos

    def ground(self, row: Array, column: Array) -> tuple[Array, Array]:
        """Returns places on the ground, m ahead and to the left; NaN at and above the horizon."""
        ahead, left, up = self.directions(row, column)
        scale = np.where(up < 0, self.height / np.maximum(-up, 1e-9), np.nan)
        return ahead * scale, left * scale

    @cached_property
    def rays(self) -> Rays:
        """The rays of all pixels, row by row; more of them where a pixel covers more ground."""
        row, column = (index.ravel() for index in np.indices((self.rows, self.columns)))
        length, width = self._covered(row, column)
        counts = np.clip(np.ceil(length / (2 * width)), 1, MOST_RAYS).astype(np.int64)
        level = np.rint(np.log2(np.maximum(width, length / counts / 2) / FINEST))
        first = np.cumsum(counts) - counts
        pixel = np.repeat(np.arange(len(row)), counts)
        place = (np.arange(len(pixel)) - first[pixel] + 0.5) / counts[pixel]
        ahead, left = self.ground(row[pixel] + place, column[pixel] + 0.5)
        near = np.hypot(ahead, left) < FAR  # False for NaN
        ends = np.concatenate([[0], np.cumsum(near)])[np.append(first, len(pixel))]
        level = np.clip(level, 0, LEVELS - 1).astype(np.int64)[pixel][near]
        share = (1 / counts[pixel][near]).astype(np.float32)
        return Rays(ends, ahead[near], left[near], level, share, *self._space(row, column))

    def _covered(self, row: Array, column: Array) -> tuple[Array, Array]:
        """Returns length and width in m of the ground in pixels; at the horizon FAR and 1."""
        far, _ = self.ground(row + 0.0, column + 0.5)
        near, _ = self.ground(row + 1.0, column + 0.5)
        length = np.where(np.isfinite(far), np.minimum(far - near, FAR), FAR)
        return length, np.where(np.isfinite(near), near / self.focus, 1.0)

    def _space(self, row: Array, column: Array) -> tuple[Array, Array]:
        """Returns `Rays.column` and `Rays.row` of pixels."""
        x, y, z = self.directions(row + 0.5, column + 0.5)
        azimuth, elevation = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
        columns, rows = COLUMNS // self.block, ROWS // self.block
        block = np.clip((elevation - LOWEST) / (-2 * LOWEST) * rows, 0, rows - 1)
        return azimuth / (2 * np.pi) * columns, block.astype(np.int64) * columns

    def look(self, atlas: Atlas, poses: Array, slots: Array, images: Array) -> None:
        """Draws the images of `slots` (k,) into `images` (n, rows, columns, 3).

        `poses` (n, 6 or more) are x and y in m and the heading in rad; turns of the sky, 1 being a
        whole one; and the place of the shadows in m, above 500. uint8 images are rounded.
        """
        half = np.float32(0.5 if images.dtype == np.uint8 else 0.0)
        flat = images.reshape(len(images), -1, 3)
        scale = 1 / (FINEST * 2.0 ** np.arange(LEVELS))
        shapes = atlas.first, atlas.rows, atlas.columns, scale, atlas.corner
        cells, space = atlas.cells.reshape(-1), atlas.space.reshape(-1)
        around, light = atlas.space.shape[1], shadows()
        draw(poses, slots, self.back, *self.rays, cells, *shapes, space, around, light, half, flat)


@kernel(nogil=True, error_model="numpy")
def draw(
    poses: Array,
    slots: Array,
    back: float,
    first_ray: Array,
    ahead: Array,
    left: Array,
    level: Array,
    share: Array,
    column: Array,
    row: Array,
    cells: Array,
    first_cell: Array,
    rows: Array,
    columns: Array,
    scale: Array,
    corner: Array,
    space: Array,
    around: int,
    lights: Array,
    half: float,
    images: Array,
) -> None:
    """Writes the pixels of `Camera.look`, with `half` added; `images` (n, pixels, 3)."""
    for slot in slots:
        cos, sin = np.cos(poses[slot, 2]), np.sin(poses[slot, 2])
        x0 = poses[slot, 0] - back * cos - corner[0]
        y0 = poses[slot, 1] - back * sin - corner[1]
        turned = (poses[slot, 2] / (2 * np.pi) + poses[slot, 3]) * around % around
        shift_x, shift_y = poses[slot, 4] + corner[0], poses[slot, 5] + corner[1]
        for p in range(len(column)):
            a = b = c = covered = np.float32(0)
            for ray in range(first_ray[p], first_ray[p + 1]):
                at, w = level[ray], share[ray]
                u = x0 + cos * ahead[ray] - sin * left[ray]
                v = y0 + sin * ahead[ray] + cos * left[ray]
                line, place = int((v + shift_y) / CELL) % SIDE, int((u + shift_x) / CELL) % SIDE
                light = lights[line, place]
                u, v = u * scale[at] - 0.5, v * scale[at] - 0.5
                if u < 0 or v < 0 or u >= columns[at] - 1 or v >= rows[at] - 1:
                    continue
                i, j = int(u), int(v)
                x, y = np.float32(u - i), np.float32(v - j)
                # Unsigned, so that numba does not look for negative indices.
                one = np.uintp(4 * (first_cell[at] + j * columns[at] + i))
                two = one + np.uintp(4 * columns[at])
                w11 = w * x * y
                w10, w01 = w * y - w11, w * x - w11
                w00 = w - w * x - w10
                covered += w00 * cells[one + U3] + w01 * cells[one + U7]
                covered += w10 * cells[two + U3] + w11 * cells[two + U7]
                w00, w01, w10, w11 = light * w00, light * w01, light * w10, light * w11
                a += w00 * cells[one] + w01 * cells[one + U4]
                b += w00 * cells[one + U1] + w01 * cells[one + U5]
                c += w00 * cells[one + U2] + w01 * cells[one + U6]
                a += w10 * cells[two] + w11 * cells[two + U4]
                b += w10 * cells[two + U1] + w11 * cells[two + U5]
                c += w10 * cells[two + U2] + w11 * cells[two + U6]
            if covered < 1:
                turn = turned + column[p]
                turn += around if turn < 0 else -around if turn >= around else 0
                i = int(turn)
                j = i + 1 if i + 1 < around else 0
                w = (1 - covered) * np.float32(turn - i)
                rest = 1 - covered - w
                near, far = np.uintp(3 * (row[p] + i)), np.uintp(3 * (row[p] + j))
                a += rest * space[near] + w * space[far]
                b += rest * space[near + U1] + w * space[far + U1]
                c += rest * space[near + U2] + w * space[far + U2]
            pixel = images[slot, p]
            pixel[0], pixel[1], pixel[2] = a + half, b + half, c + half
