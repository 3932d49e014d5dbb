"""Scripted people: a screen that answers by itself, and runs with it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from dagger_cli.experts.human.given import Input, Picture
from dagger_cli.experts.human.source import Human
from tests.e2e.running import Outcome, dagger

# A run of a fraction of a second, in which every state waits for a key.
TINY = (
    "env=cartpole",
    "expert=human",
    "expert.pace=step",
    "env.max_episode_steps=30",
    "policy.sizes=[16]",
    "policy.gradient_steps=20",
    "rounds=3",
    "steps_per_round=40",
    "validation.episodes=3",
    "evaluation.episodes=4",
    "hydra.run.dir=run",
)
Script = Callable[[int, Picture], Input]  # number of the look, what is shown


def pressed(*keys: str) -> Input:
    return Input(pressed=keys)


def by_frame(number: int, shown: Picture) -> Input:
    """Pushes left or right as the picture's checksum says: the same state, the same answer."""
    return pressed(("left", "right")[zlib.crc32(shown.frame.tobytes()) % 2])


class Scripted:
    """A screen with a person who follows a script."""

    def __init__(self, script: Script) -> None:
        self._script, self.looks, self.shown, self.closed = script, 0, [], 0

    def show(self, picture: Picture) -> None:
        self.shown.append(picture)

    def look(self) -> Input:
        self.looks += 1
        return self._script(self.looks, self.shown[-1])

    def close(self) -> None:
        self.closed += 1


def taught(*words: str, cwd: Path, script: Script = by_frame) -> tuple[Outcome, Scripted]:
    """Runs `dagger train` with a scripted person."""
    screen = Scripted(script)
    with mock.patch.object(Human, "_screen", lambda self, title: screen):
        return dagger("train", *words, cwd=cwd), screen


def stopping(after: int, script: Script = by_frame) -> Script:
    """The same person, who closes the window at a look."""
    return lambda n, shown: Input(closed=True) if n == after else script(n, shown)


def answers(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "human/answers.jsonl").read_text().splitlines()]


def policies(run: Path) -> list[bytes]:
    """The policies of the checkpoints, and the rows of all rounds."""
    files = sorted((run / "checkpoints").glob("round_*/policy.safetensors"))
    files += sorted((run / "checkpoints/aggregate").glob("*.safetensors"))
    return [path.read_bytes() for path in files]


@contextmanager
def training(cwd, *words):
    """A run in a process of its own; yields it and the address of its page."""
    command = [sys.executable, "-m", "dagger_cli", "train", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=cwd, text=True, **pipes) as process:
        try:
            lines = iter(process.stderr.readline, "")  # others may write there before
            found = (re.search(r"http://127.0.0.1:\d+/\?token=[\w-]+", line) for line in lines)
            yield process, next(match[0] for match in found if match)
        finally:
            process.kill()
