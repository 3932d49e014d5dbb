"""Files of a run that are damaged, replaced by links, pipes and devices, or removed."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .running import CANARY, TINY, Commands
from .test_kills import fingerprint

USES = (
    ("eval", "checkpoint=run", "episodes=1"),
    ("train", "resume=run", "rounds=3", "env.workers=0"),
    ("train", "resume=run/best", "rounds=3", "env.workers=0"),
)


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def cut(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(1 + path.stat().st_size)])


def remove(path: Path, rng: random.Random) -> None:
    path.unlink()


def pipe(path: Path, rng: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def sparse(path: Path, rng: random.Random) -> None:
    os.truncate(path, 2**34)


def outside(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def folder(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


def garbage(path: Path, rng: random.Random) -> None:
    path.write_bytes(rng.randbytes(300))


KINDS: tuple[Callable[[Path, random.Random], None], ...] = (
    flip, cut, remove, pipe, device, sparse, outside, folder, garbage,
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of two rounds, and with the same run resumed for a third one."""
    cwd = tmp_path_factory.mktemp("runs")
    first = commands.run(["train", *TINY, "rounds=2", "hydra.run.dir=two"], cwd)
    shutil.copytree(cwd / "two", cwd / "three", symlinks=True)
    second = commands.run(["train", "resume=three", "rounds=3", "env.workers=0"], cwd)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    return cwd


def score(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("mean")]


def test_damage(commands: Commands, runs: Path, tmp_path: Path, seed: int, scale: float) -> None:
    resumed = fingerprint(runs / "three")
    evaluated = score(commands.run(["eval", "checkpoint=two", "episodes=1"], runs).out)
    assert evaluated
    for number in range(int(20 * scale)):
        rng = random.Random(f"{seed} {number}")
        here = tmp_path / "here"
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(runs / "two", here / "run", symlinks=True)
        (here / "victim").write_text("mine")
        files = [p for p in (here / "run").rglob("*") if p.is_file() and not p.is_symlink()]
        path, harm, words = rng.choice(sorted(files)), rng.choice(KINDS), rng.choice(USES)
        harm(path, rng)
        done = commands.run(words, here, timeout=30)
        what = (seed, number, str(path), harm.__name__, words, done.fault or done.err)
        assert done.fault is None, what
        assert not (here / CANARY).exists() and (here / "victim").read_text() == "mine", what
        assert done.peak_mb < 4000, what
        if done.code == 0 and words[0] == "eval":
            assert score(done.out) == evaluated, what
        if done.code == 0 and words[0] == "train":
            result = fingerprint(here / "run")
            for name in resumed:
                if name.startswith("checkpoints/") or name == "summary":
                    assert result[name] == resumed[name], (what, name)
