"""Tracks: laws of the line, places on it, and bad numbers."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.envs.kart.track import GAP, HALF_WIDTH, SHARPEST, Track, make_track

NUMBERS = (0, 1, 2, 7, 123, 2**31 - 1)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_track_is_closed_goes_round_once_and_bends_to_both_sides(number):
    track = make_track(number)
    gaps = np.linalg.norm(np.roll(track.points, -1, 0) - track.points, axis=1)
    assert np.ptp(gaps) < 0.02 and abs(gaps.mean() - 0.5) < 0.01
    assert 560 < track.length < 680  # about 1,000 steps of 0.6 m
    assert track.curvature.sum() * track.spacing == pytest.approx(2 * np.pi, rel=1e-6)
    assert 1 / np.abs(track.curvature).max() >= SHARPEST
    assert (track.curvature > 1 / 25).mean() >= 0.15 <= (track.curvature < -1 / 25).mean()


@pytest.mark.parametrize("number", NUMBERS)
def test_no_two_parts_of_a_track_come_near_each_other(number):
    points = make_track(number).points[::2]
    between = np.linalg.norm(points[:, None] - points, axis=2)
    apart = np.abs(np.subtract.outer(np.arange(len(points)), np.arange(len(points))))
    around = np.minimum(apart, len(points) - apart)  # m along the line, with a point every m
    assert between[around > np.pi * (2 * HALF_WIDTH + GAP)].min() > 2 * HALF_WIDTH + GAP - 1


def test_numbers_give_the_same_track_again_and_other_numbers_other_ones():
    assert np.array_equal(make_track(3).points, make_track.__wrapped__(3).points)
    assert make_track(3).points.shape != make_track(4).points.shape


@pytest.mark.parametrize("number", [-1, 2**31])
def test_numbers_out_of_range_are_refused(number):
    with pytest.raises(ConfigError, match=rf"env.track must be in .*, got {number}"):
        make_track(number)


def test_places_are_found_on_a_circle_worked_by_hand():
    n, radius = 628, 50.0
    angles = 2 * np.pi * np.arange(n) / n
    points = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    circle = Track(0, points, angles + np.pi / 2, np.full(n, 1 / radius), 2 * np.pi * radius / n)
    places = np.array([[53.0, 0.0], [0.0, 47.0], [-50.0, 0.0], [0.0, 0.0]])
    along, left = circle.locate(places)
    quarter = np.pi / 2 * radius  # anticlockwise: outside is to the right
    assert along[:3] == pytest.approx([0, quarter, 2 * quarter], abs=1e-9)
    assert left[:3] == pytest.approx([-3, 3, 0], abs=1e-9)
    assert np.isnan(along[3]) and np.isnan(left[3])
