"""The camera and its colours: known places show known colours."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.envs.kart.atlas import make_atlas
from dagger_cli.envs.kart.camera import Camera
from dagger_cli.envs.kart.env import VIEWS
from dagger_cli.envs.kart.lab import lab
from dagger_cli.envs.kart.surface import RED, WHITE, surface
from dagger_cli.envs.kart.track import HALF_WIDTH, make_track
from tests.kart.karts import started

LEVEL = Camera(10, 20, np.radians(90), height=2.0, back=0.0, tilt=0.0)
SLOT = np.zeros(1, np.int64)


@pytest.mark.parametrize(
    ("colour", "values"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (100, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_values_of_the_primary_colours(colour, values):
    assert lab(np.array(colour, float)) == pytest.approx(np.array(values), abs=0.02)


def test_a_level_camera_sees_the_ground_where_geometry_says():
    assert LEVEL.focus == pytest.approx(10)  # 90 degrees over 20 pixels
    ahead, left = LEVEL.ground(np.array([10.0, 7.0, 5.0]), np.array([10.0, 20.0, 10.0]))
    assert ahead[:2] == pytest.approx([2 * 10 / 5, 2 * 10 / 2])  # height * focus / rows below
    assert left[:2] == pytest.approx([0, -10])  # at the right edge as far aside as ahead
    assert np.isnan(ahead[2])  # the horizon


def test_the_rays_of_a_pixel_share_it_where_all_meet_the_ground():
    rays = VIEWS["lab"].camera.rays
    shares = np.add.reduceat(np.append(rays.share, 0), np.minimum(rays.first[:-1], len(rays.share)))
    counts = np.diff(rays.first)
    assert shares[-25:] == pytest.approx(1) and (counts[:25] == 0).all()
    assert np.hypot(rays.ahead, rays.left).max() < 60


def test_the_surface_has_kerbs_a_line_and_plates():
    track = make_track(0)
    along = np.full(4, 100.0)
    colours = surface(track, along, np.array([HALF_WIDTH - 0.1, 0.1 - HALF_WIDTH, 2.0, -2.0]))
    assert (colours[:2] == colours[0]).all() and (colours[0] == RED).all() | (
        colours[0] == WHITE
    ).all()
    assert (
        not np.isin(colours[2:], (RED, WHITE)).any()
        and (colours >= 0).all()
        and (colours <= 1).all()
    )
    line = surface(track, np.linspace(50, 60, 1000), np.zeros(1000))
    assert (line == WHITE).all(1).mean() == pytest.approx(0.5, abs=0.1)  # dashed


def test_the_atlas_is_covered_by_the_area_of_the_track_at_every_level():
    atlas, track = make_atlas(0, "pixels", 8), make_track(0)
    for level in range(len(atlas.first)):
        n = int(atlas.rows[level] * atlas.columns[level])
        cells = atlas.cells[atlas.first[level] : atlas.first[level] + n]
        area = cells[:, 3].sum() * (0.25 * 2**level) ** 2
        assert area == pytest.approx(track.length * 2 * HALF_WIDTH, rel=0.005)
        assert (cells[:, :3] <= 255 * cells[:, 3:] + 1e-3).all()


def pose(ahead: float = 0.0, left: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """A pose on a straight part of track 0, without shadows changing between poses."""
    track = make_track(0)
    i = int(np.argmin([np.abs(np.roll(track.curvature, -k)[:40]).sum() for k in range(1200)]))
    heading = track.headings[i]
    along, across = (
        np.array([np.cos(heading), np.sin(heading)]),
        np.array([-np.sin(heading), np.cos(heading)]),
    )
    place = track.points[i] + ahead * along + left * across
    return np.array([*place, heading + turn, 0.25, 512.0, 512.0])


def seen(where: np.ndarray, kind: str = "lab") -> np.ndarray:
    view = VIEWS[kind]
    shape = (1, view.camera.rows, view.camera.columns, 3)
    image = np.zeros(shape, view.dtype)
    view.camera.look(make_atlas(0, kind, view.camera.block), where[None], SLOT, image)
    return image[0]


def test_on_the_track_the_bottom_shows_plates_and_off_it_space():
    bottom, away = (seen(pose(left=left), "pixels") for left in (2.0, -60.0))
    assert bottom[-1].mean() > 20 and away[-1].max() < 20  # space below is dark
    assert np.array_equal(bottom[:4], away[:4])  # the same stars


def test_the_kerb_is_seen_on_the_side_where_it_is():
    redness = seen(pose(left=3.0))[..., 1]
    left, right = redness[8:, :8].max(), redness[12:, 17:].max()
    assert left > 30 > right  # a* of the kerb; the right one is out of sight at the bottom


def test_the_view_turns_with_the_kart_and_changes_smoothly():
    still, moved = seen(pose()), seen(pose(left=0.01))
    change = np.abs(still - moved)
    # A pixel at an edge may see its other side; which one does depends on the processor's rounding.
    assert 0 < change.mean() < 0.1 and (change.max(axis=2) > 1).sum() <= 2
    horizon = seen(pose(turn=0.5))[:5, :, 0], seen(pose())[:5, :, 0]
    assert not np.array_equal(*horizon)
    turned = pose(turn=0.5)
    turned[3] -= 0.5 / (2 * np.pi)  # the stars turned by as much
    assert np.abs(seen(turned)[:2] - seen(pose())[:2]).max() < 0.01


def test_shadows_darken_the_track_alone():
    lit, shaded = pose(left=2.0), pose(left=2.0)
    shaded[4] += 31.0
    a, b = seen(lit), seen(shaded)
    assert np.abs(a[-1] - b[-1]).max() > 1 and np.array_equal(a[:3], b[:3])


def test_images_of_an_environment_have_the_ranges_of_its_space():
    for kind in VIEWS:
        env = started(4, observation=kind)
        obs, space = env.observation.obs, env.observation_space
        low, high = (np.reshape(end, space.shape) for end in (space.low, space.high))
        assert obs.shape[1:] == space.shape and obs.dtype == space.dtype
        assert (obs >= low).all() and (obs <= high).all() and obs.std() > 5
