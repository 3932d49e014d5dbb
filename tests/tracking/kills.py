"""Run as a program: kill -9 a run at each of its accesses to the disk, and resume every time."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.loop.run import Observer, Round
from dagger_cli.tracking.checkpoint import load_policy, resolve_checkpoint

from .toys import ToyEnv, ToyLearner, core_observers, fingerprint, train

EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.truncate"}
armed_at = -1


def count_down(event: str, arguments: tuple[object, ...]) -> None:
    global armed_at
    if event in EVENTS and armed_at >= 0:
        if armed_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        armed_at -= 1


def observers(folder: Path, kit: Kit, state: State) -> list[Observer]:
    return [*core_observers(folder, kit, state), disarm]


def disarm(finished: Round) -> None:
    global armed_at
    armed_at = -1


def killed(folder: Path, rounds: int, at: int) -> bool:
    """Whether a child that resumes `folder` died at its access number `at` of the first round."""
    global armed_at
    child = os.fork()
    if child == 0:
        armed_at = at
        train(folder, rounds, resume=True, observers=observers)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status != 0


def main(root: Path) -> None:
    sys.addaudithook(count_down)
    os.fsync = lambda handle: None  # what a killed process wrote survives it; this saves seconds
    train(root / "whole", 3)
    expected = fingerprint(root / "whole", 3)
    train(root / "two", 2)
    at = 0
    while True:
        folder = root / f"killed_{at}"
        shutil.copytree(root / "two", folder, symlinks=True)
        died = killed(folder, 3, at)
        # What is there can be used as it is, and the run goes on as if nothing had been.
        load_policy(resolve_checkpoint(folder), ToyLearner(), ToyEnv.action_space)
        train(folder, 3, resume=True)
        assert fingerprint(folder, 3) == expected, at
        if not died:
            break
        at += 1
    print(at)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
