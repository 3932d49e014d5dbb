"""How far a student must differ from its expert, because it does not see what the expert sees.

Where two states look alike to the student but have labels y and y', any action differs from them
by half of distance(y, y') on average, at least (triangle inequality). Pairs that look exactly alike
are rare, so labels of near neighbours are compared, and extrapolated to the distance 0: the gamma
test of Stefansson, Koncar & Jones (1997), with the distance of actions in place of its square.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.past import recent
from dagger_cli.core.policies import distance
from dagger_cli.core.types import Array, Space

ROWS = 1500  # compared with each other; fewer than FEW say nothing
FEW = 100
NEIGHBOURS = 10
LOOK = 8  # last observations that are compared, where a student acts by all of its episode
APART = 20  # env steps: closer states of an episode have like labels whatever is hidden
WIDE = 256  # components; more are projected on
NARROW = 64  # random directions
COLUMNS = 1024  # that are projected at a time


def irreducible(data: Dataset, actions: Space, n_envs: int) -> float | None:
    """Returns a lower bound of a student's mean `distance` from the labels; None for few rows.

    It is an estimate, and smaller than the bound where observations have many components, as there
    near neighbours are far apart. `n_envs` rows are one env step.
    """
    rows = data.thinned(ROWS)
    if len(rows) < FEW:
        return None
    apart = min(APART * n_envs * len(rows) // len(data), len(rows) // 4)
    gaps, nearest = _neighbours(_standardised(recent(rows.stored, LOOK)), apart)
    differ = [distance(actions, rows.labels, rows.labels[other]).mean() / 2 for other in nearest.T]
    return _at_zero(gaps.mean(0), np.array(differ))


def _standardised(obs: Array) -> Array:
    """Returns float64 rows of mean 0 and standard deviation 1; of many components, projections."""
    rows = obs.reshape(len(obs), -1)
    size = rows.shape[1]
    if size <= WIDE:
        return _in_deviations(rows)
    directions = np.random.default_rng(0).standard_normal((size, NARROW))
    projected = np.zeros((len(rows), NARROW))
    for begin in range(0, size, COLUMNS):  # images in float64 at once would take a gigabyte
        part = slice(begin, begin + COLUMNS)
        projected += _in_deviations(rows[:, part]) @ directions[part]
    return np.asarray(projected / np.sqrt(NARROW))


def _in_deviations(rows: Array) -> Array:
    flat = rows.astype(np.float64)
    std = flat.std(0)
    return np.asarray((flat - flat.mean(0)) / np.where(std > 0, std, 1.0))


def _neighbours(x: Array, apart: int) -> tuple[Array, Array]:
    """Returns distances and indexes of the nearest rows, nearest first, (n, NEIGHBOURS) each.

    Rows less than `apart` from each other in their order are no neighbours.
    """
    squares = (x**2).sum(1)
    gaps = squares[:, None] + squares - 2 * x @ x.T
    order = np.arange(len(x))
    gaps[np.abs(order[:, None] - order) <= apart] = np.inf
    nearest = np.argpartition(gaps, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    found = np.take_along_axis(gaps, nearest, axis=1)
    by_distance = np.argsort(found, axis=1, kind="stable")
    found = np.sqrt(np.maximum(np.take_along_axis(found, by_distance, axis=1), 0))
    return found, np.take_along_axis(nearest, by_distance, axis=1)


def _at_zero(gaps: Array, values: Array) -> float:
    """Returns the least-squares line through (gaps, values) at 0, within 0 and the first value."""
    spread = gaps - gaps.mean()
    if not (spread**2).sum() > 1e-12:
        return float(values.mean())
    slope = float((spread * values).sum() / (spread**2).sum())
    return float(np.clip(values.mean() - slope * gaps.mean(), 0.0, values[0]))
