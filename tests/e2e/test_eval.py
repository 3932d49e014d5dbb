"""`dagger eval` of runs, checkpoints, copies and experts."""

from __future__ import annotations

import json
import shutil
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from .running import dagger, summary, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run too short to learn much, and a copy of its last checkpoint."""
    cwd = tmp_path_factory.mktemp("eval")
    train("rounds=3", "steps_per_round=30", "evaluation.checkpoint=best", cwd=cwd)
    shutil.copytree(cwd / "run" / "checkpoints" / "last", cwd / "elsewhere" / "copy")
    return cwd


def scores(folder, *words):
    done = dagger("eval", *words, "json=scores.json", cwd=folder)
    assert (done.code, done.err) == (0, ""), done.err
    return json.loads((folder / "scores.json").read_text()), done.out


def test_a_run_is_scored_as_in_its_own_final_table(folder):
    value, out = scores(folder, "checkpoint=run")
    student = summary(folder / "run")["student"]
    assert {name: value[name] for name in student} == student
    assert value["env"] == "CartPole-v1" and len(value["returns"]) == len(value["lengths"]) == 4
    assert value["mean"] == np.mean(value["returns"]) and value["max"] == max(value["returns"])
    names = [line.split("  ")[0] for line in out.splitlines() if line]
    assert names[-9:] == [
        "mean", "std", "std error", "min", "max", "drops", "episodes", "mean length", "json"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["run/best", "run/last", "run/checkpoints", "run/checkpoints/last", "./run/", "elsewhere/copy"],
)
def test_every_way_to_name_a_checkpoint(folder, path):
    value, _ = scores(folder, f"checkpoint={path}")
    which = "last" if "last" in path or "copy" in path else "best"
    same, _ = scores(folder, f"checkpoint=run/{which}")
    assert value["returns"] == same["returns"]


def test_a_run_may_move(folder, tmp_path):
    shutil.copytree(folder / "run", tmp_path / "moved", symlinks=True)
    here, _ = scores(tmp_path, "checkpoint=moved")
    assert here["returns"] == scores(folder, "checkpoint=run")[0]["returns"]


def test_episodes_and_seed_are_the_users(folder):
    value, _ = scores(folder, "checkpoint=run", "episodes=3", "seed=0")
    assert value["seeds"] == [0, 1, 2]
    # An episode's number is its seed's alone, not its neighbours'.
    more, _ = scores(folder, "checkpoint=run", "episodes=40", "seed=0")
    assert more["returns"][:3] == value["returns"] and len(more["returns"]) == 40


def test_eval_leaves_the_run_and_the_folder_as_they_were(folder):
    def listing():
        return sorted((str(p), p.lstat().st_mtime_ns) for p in folder.rglob("*"))

    before = listing()
    assert dagger("eval", "checkpoint=run", cwd=folder).code == 0
    assert listing() == before


def test_the_expert_itself(folder):
    value, out = scores(folder, "checkpoint=expert", "env=cartpole", "expert=bundled", "episodes=2")
    assert value["returns"] == [500, 500] and value["seeds"] == [1000, 1001]
    assert "bundled ppo agent for CartPole-v1" in out


def test_video_is_a_readable_mp4_of_the_episode(folder):
    value, _ = scores(folder, "checkpoint=run", "episodes=1", "video=film.mp4")
    frames = frames_of(folder)
    assert len(frames) == value["lengths"][0] + 1  # the first sight and one after every step
    assert frames[0].std() > 1  # there is something to see
    assert (frames[0] != frames[-1]).any()
    assert value["returns"] == scores(folder, "checkpoint=run", "episodes=1")[0]["returns"]


def frames_of(folder):
    path, size = folder / "film.mp4", (400, 600, 3)
    n, _ = imageio_ffmpeg.count_frames_and_secs(path)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-loglevel", "error", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", path, *raw]
    pixels = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    return np.frombuffer(pixels, np.uint8).reshape(n, *size)


def test_the_expert_can_be_filmed(folder):
    words = "checkpoint=expert env=mountaincar expert=bundled env.max_episode_steps=5"
    done = dagger("eval", *words.split(), "episodes=1", "video=film.mp4", cwd=folder)
    assert (done.code, done.err) == (0, ""), done.err
    assert len(frames_of(folder)) == 6
