"""Rendered pictures: shrunk as worked by hand, stacked on the channels, played from pixels."""

from __future__ import annotations

import os
import sys
from contextlib import closing

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Acts
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.testing.envs import check_env
from dagger_cli.views.pixels import shrunk
from dagger_cli.views.view import View
from tests.e2e.running import TINY, dagger, differences, summary
from tests.envs.helpers import source

from .toys import Source

CNN = (
    *(word for word in TINY if word.startswith(("env=", "expert", "policy.grad"))),
    *("view=pixels", "view.pixels=36", "policy=cnn", "policy.gradient_steps=2"),
    *("rounds=2", "steps_per_round=20", "n_envs=2", "env.max_episode_steps=10"),
    *("validation.episodes=1", "evaluation.episodes=1"),
)


def test_areas_are_averaged_and_pixels_may_be_cut():
    frame = np.repeat(np.arange(0, 160, 10, dtype=np.uint8).reshape(4, 4, 1), 3, axis=2)
    assert shrunk(frame, 2, grey=False)[..., 1].tolist() == [[25, 45], [105, 125]]
    thirds = shrunk(frame, 3, grey=True)[..., 0]  # an interval is one pixel and a third
    assert thirds[0, 0] == round((0 + (10 + 40) / 3 + 50 / 9) * 9 / 16)
    assert shrunk(frame, 4, grey=True).shape == (4, 4, 1)


def test_grey_weighs_colours_as_eyes_do():
    frame = np.zeros((4, 4, 3), np.uint8)
    frame[..., 1] = 100
    assert (shrunk(frame, 2, grey=True) == 59).all()
    assert (shrunk(frame, 2, grey=False) == [0, 100, 0]).all()


def test_pictures_are_stacked_on_the_channels_oldest_first():
    viewed = View(pixels=16, grey=False, stack=2).viewed(source("CartPole-v1"))
    env, slot = viewed.open(2), np.array([1])
    env.reset(np.arange(2), np.arange(2))
    first = env.observation.obs[1].copy()
    assert first.shape == env.observation_space.shape == (16, 16, 6)
    assert first.dtype == np.uint8 and not first[..., :3].any() and first[..., 3:].any()
    env.step(slot, np.array([1]))
    assert np.array_equal(env.observation.obs[1][..., :3], first[..., 3:])
    assert env.observation.privileged.shape == (2, 4)  # what the expert sees
    env.close()


def test_experts_are_scored_without_pictures_and_alike():
    viewed = View(pixels=16).viewed(source("CartPole-v1", max_episode_steps=30))
    expert, seeds, scores = viewed.sighted(Leaning()), range(1000, 1005), []
    for one in (viewed, viewed.undrawn):
        with closing(one.open(3)) as env:
            env.reset(np.arange(3), np.arange(3))
            assert env.observation.obs.any() == (one is viewed)
            scores.append(evaluate(env, expert, seeds, np.random.default_rng(0)))
    assert scores[0].returns.tolist() == scores[1].returns.tolist()
    assert len(set(scores[0].lengths)) > 1
    assert View(delay=1).viewed(source("CartPole-v1")).undrawn is None


class Leaning:
    """Pushes the cart to the side that its pole leans to; sees the full observation."""

    def act(self, observation, rng):
        n = len(observation)
        return Acts((observation.obs[:, 2] > 0).astype(np.int64), np.ones(n, bool))


def test_drawing_without_a_display_is_quiet(monkeypatch):
    for key in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.setenv(key, "")  # so that the old value comes back at the end
        monkeypatch.delenv(key)
    View(pixels=16).viewed(source("CartPole-v1")).open(1).close()
    if sys.platform.startswith("linux"):  # otherwise SDL writes "error: XDG_RUNTIME_DIR ..."
        assert os.environ["SDL_VIDEODRIVER"] == "dummy"


@pytest.mark.slow
def test_it_keeps_the_laws_of_environments():
    viewed = View(pixels=16, stack=2, delay=1).viewed(source("CartPole-v1", max_episode_steps=30))
    check_env(viewed.open)


def test_a_student_learns_from_pictures(tmp_path):
    done = dagger("train", *CNN, "hydra.run.dir=run", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert summary(tmp_path / "run")["expert"]["mean"] == 10
    assert "watch" not in summary(tmp_path / "run")["commands"]  # in a window, which is refused


TEACHING = ("expert=path", "expert.path=teacher", "beta=exponential", "n_envs=3")


@pytest.mark.slow
def test_a_student_of_pictures_teaches_one_of_pictures(tmp_path):
    """It is asked at every step with what it sees, so a resumed run has the same labels."""
    assert dagger("train", *CNN, "hydra.run.dir=teacher", cwd=tmp_path).code == 0
    words = [word for word in CNN if not word.startswith(("expert", "rounds", "n_envs"))]
    for run, rounds in (("whole", "rounds=2"), ("parts", "rounds=1")):
        own = (*TEACHING, rounds, f"hydra.run.dir={run}")
        done = dagger("train", *words, *own, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    done = dagger("train", "resume=parts", "rounds=2", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(tmp_path / "whole", tmp_path / "parts") == []
    teacher = summary(tmp_path / "teacher")["student"]
    assert summary(tmp_path / "whole")["expert"]["mean"] == teacher["mean"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("trainer=searn", "trainer.costs=rollout", "steps_per_round=40"),
        ("trainer=aggrevate", "steps_per_round=40", "beta=exponential"),
        ("trainer=lols", "steps_per_round=40"),
        ("trainer=smile",),
        ("trainer=forward", "rounds=3"),
        ("trainer=dart",),
        ("trainer=safe_dagger",),
        ("trainer=ensemble_dagger", "trainer.size=2"),
        ("trainer=hg_dagger",),
    ],
    ids=lambda words: words[0],
)
def test_every_trainer_goes_on_from_pictures_as_if_it_had_never_stopped(words, tmp_path):
    more = ("trainer.cost_rollouts.horizon=4",) if "steps_per_round=40" in words else ()
    chosen = {word.partition("=")[0]: word for word in (*CNN, *words, *more)}
    rounds = int(chosen["rounds"].partition("=")[2])
    for run in ("whole", "parts"):
        own = [*chosen.values(), f"hydra.run.dir={run}"]
        done = dagger("train", *own, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    before = tmp_path / "parts" / "checkpoints" / f"round_{rounds - 1:04}"
    if before.exists():  # the last round is taken back and repeated
        done = dagger("train", f"resume={before}", cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    assert differences(tmp_path / "whole", tmp_path / "parts") == []


@pytest.mark.slow
def test_it_is_filmed_from_pictures(tmp_path):
    assert dagger("train", *CNN, "hydra.run.dir=run", cwd=tmp_path).code == 0
    scores = {}
    for more in ("seed=1000", "video=a.mp4"):
        done = dagger("eval", "checkpoint=run", "episodes=1", more, "json=s.json", cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
        scores[more] = (tmp_path / "s.json").read_text().partition("returns")[2]
    assert len(set(scores.values())) == 1 and (tmp_path / "a.mp4").stat().st_size > 0
    done = dagger("eval", "checkpoint=run", "render=human", cwd=tmp_path)
    assert done.code == 2 and "video=path.mp4" in done.err


def test_what_cannot_be_rendered_is_refused():
    with pytest.raises(ConfigError, match="'Counter' does not"):
        View(pixels=84).viewed(Source())
