"""Bounds of a Box: which count, and what a policy's range is without them."""

import numpy as np
import pytest

from dagger_cli.core.policies import distance
from dagger_cli.core.types import Space


def box(dtype, low, high):
    return Space("box", (1,), dtype, (float(low),), (float(high),))


@pytest.mark.parametrize(
    ("dtype", "low", "high", "limits"),
    [
        ("float32", -1, 2, (True, True)),
        ("float32", -np.inf, 2, (False, True)),
        ("float32", np.finfo(np.float32).min, np.finfo(np.float32).max, (False, False)),
        ("float64", np.finfo(np.float32).min, np.finfo(np.float64).max, (False, False)),
        ("float64", 0, 1e30, (True, True)),
        ("float16", 0, np.finfo(np.float16).max, (True, False)),
        ("uint8", 0, 255, (True, True)),
        ("int8", -128, 127, (True, True)),
        ("int64", np.iinfo(np.int64).min + 2, np.iinfo(np.int64).max - 2, (False, False)),
        ("int32", 0, np.iinfo(np.int32).max, (True, False)),
    ],
)
def test_the_largest_numbers_are_no_bounds(dtype, low, high, limits):
    space = box(dtype, low, high)
    assert (space.limits[0].item(), space.limits[1].item()) == limits
    bounded, centre, half = space.centre_and_half()
    assert bounded.item() == all(limits)
    if not bounded:
        assert (centre.item(), half.item()) == (0.0, 1.0)
        assert distance(space, np.zeros((1, 1)), np.ones((1, 1))).item() == 1.0
