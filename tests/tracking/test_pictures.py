"""The pictures in a run's folder at its end."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dagger_cli.core.clip import Clip, Enough
from dagger_cli.envs.film import film
from dagger_cli.utils.curve import Point, curve_svg

from ..e2e.running import TINY, dagger

SVG = "{http://www.w3.org/2000/svg}"


def opened(path):
    return Image.open(io.BytesIO(path.read_bytes()))


def test_a_run_ends_with_its_curve_and_a_gif_named_on_the_console(tmp_path):
    words = [*(word for word in TINY if word != "gif=false"), "gif=true"]
    done = dagger("train", *words, "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "curve  " in done.out and "run/curve.svg" in done.out and "run/student.gif" in done.out
    gif = opened(tmp_path / "run/student.gif")
    assert gif.format == "GIF" and gif.n_frames > 5 and max(gif.size) <= 320
    circles = ET.parse(tmp_path / "run/curve.svg").getroot().findall(f"{SVG}circle")
    assert len(circles) == 3  # a point for each round
    events = EventAccumulator(str(tmp_path / "run/tb"), size_guidance={"images": 0})
    events.Reload()
    (shown,) = events.Images("student")
    assert shown.encoded_image_string == (tmp_path / "run/student.gif").read_bytes()


def test_a_curve_places_the_highest_return_highest_and_escapes_words():
    points = [Point(100, 1.0, 0.1), Point(200, 3.0, 0.1), Point(300, 2.0, 0.1)]
    root = ET.fromstring(curve_svg(points, "a < b", expert=2.5))
    heights = [float(circle.get("cy", 0)) for circle in root.findall(f"{SVG}circle")]
    assert heights[1] < heights[2] < heights[0]
    words = [text.text for text in root.findall(f"{SVG}text")]
    assert "a < b; dashed: the expert" in words and "300" in words


@pytest.mark.parametrize("expert", [None, 1.0])
def test_a_curve_of_one_round_has_a_place(expert):
    root = ET.fromstring(curve_svg([Point(100, 1.0, 0.0)], "title", expert))
    assert len(root.findall(f"{SVG}circle")) == 1


def frames(n):
    return [np.full((40, 640, 3), value % 2 * 200, np.uint8) for value in range(n)]


def test_a_clip_ends_after_its_seconds_of_play_and_renders_only_what_it_keeps(tmp_path):
    rendered = []
    clip = Clip(tmp_path / "a.gif", seconds=2.0, work=60.0, fps=10.0)
    shown = frames(200)
    with pytest.raises(Enough), film(clip, 50) as write:
        for number, image in enumerate(shown):
            write(lambda image=image, number=number: rendered.append(number) or image)
    assert rendered == list(range(0, 101, 5))
    gif = opened(tmp_path / "a.gif")
    assert (gif.n_frames, gif.size, gif.info["duration"]) == (21, (320, 20), 100)
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_time_before_the_second_frame_does_not_end_a_clip(tmp_path, monkeypatch):
    """What draws and acts may compile for longer than a clip may take."""
    now = 0.0
    monkeypatch.setattr("dagger_cli.envs.film.time.monotonic", lambda: now)
    with pytest.raises(Enough), film(Clip(tmp_path / "a.gif", work=2.0), 10) as write:
        for number, image in enumerate(frames(20)):
            now += 60.0 if number < 2 else 0.5
            write(lambda image=image: image)
    assert opened(tmp_path / "a.gif").n_frames == 7  # five more take 2.5 s


def test_an_episode_that_ends_sooner_is_kept_whole(tmp_path):
    with film(Clip(tmp_path / "a.gif"), 10) as write:
        for image in frames(4):
            write(lambda image=image: image)
    assert opened(tmp_path / "a.gif").n_frames == 4


def test_a_clip_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError), film(Clip(tmp_path / "a.gif"), 10) as write:
        write(lambda: frames(1)[0])
        raise ValueError
    assert not [*tmp_path.iterdir()]
