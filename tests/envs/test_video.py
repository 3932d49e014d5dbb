import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Acts
from dagger_cli.envs import video

from .helpers import source


class Still:
    """Moves no motor."""

    def __init__(self, space):
        self.zero = np.zeros((1, *space.shape), space.dtype)

    def act(self, observation, rng):
        return Acts(self.zero, np.zeros(len(observation), bool))


@pytest.fixture
def walker(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    return source("BipedalWalker-v3", max_episode_steps=15)


def play(env_source, mode, seeds=(3, 4)):
    rng = np.random.default_rng(0)
    return video.play(env_source, Still(env_source.action_space), seeds, rng, mode)


def decoded(path):
    """The bytes of all pixels of all frames."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-loglevel", "error", "-"]
    return subprocess.run([ffmpeg, "-i", path, *raw], capture_output=True, check=True).stdout


def test_a_film_has_every_frame_and_the_score_is_the_episodes(walker, tmp_path):
    path = tmp_path / "new folder" / "walk.mp4"
    score = play(walker, path)
    assert score.seeds.tolist() == [3, 4]
    assert score.lengths.tolist() == [15, 15]
    n_frames = 2 * (15 + 1)
    assert imageio_ffmpeg.count_frames_and_secs(path) == (n_frames, pytest.approx(n_frames / 50))
    assert len(decoded(path)) == n_frames * 400 * 600 * 3
    assert [p.name for p in path.parent.iterdir()] == ["walk.mp4"]


def test_a_window_shows_the_same_episodes(walker, tmp_path):
    np.testing.assert_array_equal(
        play(walker, "human").returns, play(walker, tmp_path / "film.mp4").returns
    )


def test_a_film_that_fails_leaves_the_old_one(walker, tmp_path, monkeypatch):
    path = tmp_path / "walk.mp4"
    path.write_text("old")
    monkeypatch.setattr(Still, "act", lambda *_: Acts(np.zeros((1, 9)), np.zeros(1, bool)))
    with pytest.raises(EnvError, match="shape"):
        play(walker, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["walk.mp4"]


def test_no_display_is_one_sentence(walker, monkeypatch):
    for key in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(EnvError, match=r"no display .* use video=path\.mp4"):
        play(walker, "human")


def test_a_missing_pygame_is_one_sentence(walker, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(EnvError, match=r"render\(\): .*pygame is not installed, run `pip install"):
        play(walker, tmp_path / "walk.mp4")


def test_other_endings_are_refused(walker, tmp_path):
    with pytest.raises(ConfigError, match=r"only \.mp4 and \.gif .* try walk\.mp4"):
        play(walker, tmp_path / "walk.avi")


def test_an_unwritable_place_is_one_sentence(walker, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EnvError, match=r"cannot write video="):
        play(walker, tmp_path / "file" / "walk.mp4")


def test_an_environment_that_cannot_be_drawn_is_named(tmp_path):
    with pytest.raises(EnvError, match=r"toy/Offset-v0' cannot be recorded: .* none"):
        play(source("toy/Offset-v0"), tmp_path / "toy.mp4")
