"""Run as a program: calls `dagger` in forked children of a process that has imported everything.

Reads one JSON request per line and answers with one line. A child takes tenths of a second, where
a new process takes two.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

MODULES = (
    "dagger_cli.cli.hydra_app",
    "dagger_cli.commands.train",
    "dagger_cli.commands.eval",
    "dagger_cli.commands.expert",
    "dagger_cli.commands.export",
    "dagger_cli.config.from_checkpoint",
    "dagger_cli.envs.gym",
    "dagger_cli.envs.sequences.jsonl",
    "dagger_cli.experts.bundled",
    "dagger_cli.experts.path",
    "dagger_cli.experts.oracle",
    "dagger_cli.policies.sources",
    "dagger_cli.trainers.dagger",
    "gymnasium.envs.classic_control",
    "hydra.core.hydra_config",
    "rich.progress",
    "torch.utils.tensorboard",
)
# What changes the disk. Python tells of all of these but fsync.
EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.truncate"}


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _end_with(request, out.fileno(), err.fileno())
        status, usage, hung = _wait(child, begin + request["timeout"])
        texts = {}
        for name, file in (("out", out), ("err", err)):
            file.seek(0)
            texts[name] = file.read().decode("utf-8", "replace")
    code = os.waitstatus_to_exitcode(status)
    seconds, peak = time.monotonic() - begin, usage.ru_maxrss >> 10
    return {"code": code, "hung": hung, "seconds": seconds, "peak_mb": peak, **texts}


def _end_with(request: dict[str, Any], out: int, err: int) -> None:
    """Runs the command and ends this process with its exit code."""
    try:
        code = _run(request, out, err)
    except BaseException:
        traceback.print_exc()
        code = 98
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _wait(child: int, deadline: float) -> tuple[int, Any, bool]:
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            return status, usage, False
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            return (*os.wait4(child, 0)[1:], True)
        time.sleep(0.005)


def _run(request: dict[str, Any], out: int, err: int) -> int:
    """Runs the command in this process as the installed script would; returns its exit code."""
    os.setsid()
    os.chdir(request["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))
    sys.path[0] = ""  # replaced below: the current folder is not on the path of an installed script
    sys.path.remove("")
    limit = request["memory_mb"] << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    os.environ.update(request["env"])
    if request["kill_at"] is not None:
        _kill_at(request["kill_at"], str(Path(request["cwd"], request["kill_in"]).resolve()))
    sys.argv = ["dagger", *request["words"]]
    from dagger_cli.cli.main import main as dagger

    try:
        dagger()
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _kill_at(at: int, folder: str) -> None:
    """Kills this process at its access number `at` to the folder; prints the number of all."""
    left = at

    def count(path: object) -> None:
        nonlocal left
        if isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(folder):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in EVENTS:
            # os.symlink(source, name): the name is what is created.
            count(arguments[1] if event == "os.symlink" else arguments[0])

    fsync = os.fsync

    def counted(handle: int) -> None:
        count(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    os.fsync = counted
    sys.addaudithook(hook)


if __name__ == "__main__":
    main()
