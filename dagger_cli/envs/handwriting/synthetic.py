"""`env.data=synthetic`: generated words that resemble handwriting, always the same.

Every word has a writer with a slant, a width, a pen and a tremor; every letter is slightly bent and
drawn into 16 x 8 black or white pixels, some of which are flipped. About as hard for a linear
classifier as Kassel's writers are: meant for trials and tests, not for results.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.envs.handwriting.letters import ALPHABET, FOLDS, IMAGE
from dagger_cli.envs.handwriting.shapes import STROKES, WORDS
from dagger_cli.envs.sequences.table import Sequences

SEED = 20110411  # of the whole data set
POINTS = 48  # along a letter's strokes
N_WORDS = 1500
FLIPS = 0.03  # fraction of flipped pixels


@cache
def synthetic_letters() -> tuple[Sequences, Array]:
    """Returns `N_WORDS` words and the fold of each (W,)."""
    rng = np.random.default_rng(SEED)
    # Zipf's law, weakened: the first words of a shuffled list are more frequent.
    shares = 1 / (10 + rng.permutation(len(WORDS)))
    chosen = rng.choice(len(WORDS), N_WORDS, p=shares / shares.sum())
    spelled = [[ALPHABET.index(letter) for letter in WORDS[i]] for i in chosen]
    lengths = np.array([len(letters) for letters in spelled])
    labels = np.concatenate(spelled).astype(np.int64)
    pixels = draw(labels, np.repeat(np.arange(N_WORDS), lengths), rng)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Sequences(pixels, labels, starts, ALPHABET, IMAGE), np.arange(N_WORDS) % FOLDS


def draw(labels: Array, writers: Array, rng: np.random.Generator) -> Array:
    """Draws letters (N,) in the handwriting of `writers` (N,), from 0: (N, 128) uint8 pixels."""
    n_writers = int(writers.max()) + 1
    slant = rng.normal(0.1, 0.3, n_writers)[writers, None]
    width = rng.uniform(0.75, 1.0, n_writers)[writers, None]
    pen = rng.uniform(0.55, 0.95, n_writers)[writers]
    shake = rng.uniform(0.03, 0.11, n_writers)[writers, None, None]
    x, y = np.moveaxis(_outlines()[labels], 2, 0)
    # A bend is a slow wave over the letter, with random amplitudes for every letter written.
    waves = np.stack([f(np.pi * k * y) for k in (1, 2) for f in (np.sin, np.cos)], 2)
    bend = (shake * rng.normal(size=(2, len(labels), 1, 4)) * waves).sum(3)
    x, y = (x + slant * (0.5 - y) - 0.5) * width + 0.5 + bend[0], y + bend[1]
    rows, columns = IMAGE
    spots = np.stack([x * (columns - 2) + 0.5, y * (rows - 3) + 1.0], 2).astype(np.float32)
    pixels = np.concatenate(
        [_ink(spots[i : i + 1024], pen[i : i + 1024]) for i in range(0, len(labels), 1024)]
    )
    flips = rng.random(pixels.shape) < FLIPS
    return (pixels ^ flips).astype(np.uint8)


def _ink(spots: Array, pen: Array) -> Array:
    """Marks pixels whose centre the pen covers, (n, 128), from (n, POINTS, 2) and radii (n,)."""
    row, column = (axis.reshape(-1, 1) for axis in np.indices(IMAGE, np.float32))
    across = column - spots[:, None, :, 0]
    down = row - spots[:, None, :, 1]
    nearest = (across * across + down * down).min(2)
    return np.asarray(nearest <= (pen * pen)[:, None])


@cache
def _outlines() -> Array:
    """Returns points at equal distances along each letter's strokes, (26, POINTS, 2) in [0, 1]."""
    return np.stack([_outline(STROKES[letter]) for letter in ALPHABET])


def _outline(strokes: str) -> Array:
    corners = [
        np.array([[int(corner[0]) / 4, int(corner[1]) / 6] for corner in stroke.split()])
        for stroke in strokes.split("/")
    ]
    begin = np.concatenate([stroke[:-1] for stroke in corners])
    end = np.concatenate([stroke[1:] for stroke in corners])
    reach = np.concatenate([[0], np.cumsum(np.linalg.norm(end - begin, axis=1) + 1e-3)])
    at = np.linspace(0, reach[-1], POINTS, endpoint=False)
    line = np.searchsorted(reach, at, side="right") - 1
    share = ((at - reach[line]) / (reach[line + 1] - reach[line]))[:, None]
    return np.asarray(begin[line] + share * (end[line] - begin[line]))
