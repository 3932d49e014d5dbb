"""The `dagger` command in this process, and what its runs left behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

from dagger_cli.cli.main import main
from dagger_cli.config.options import config_dir, options

# A run of a fraction of a second; what a test is about is said after it.
TINY = (
    "env=cartpole",
    "expert=bundled",
    "env.max_episode_steps=60",
    "policy.sizes=[16]",
    "policy.gradient_steps=20",
    "rounds=3",
    "steps_per_round=100",
    "validation.episodes=3",
    "evaluation.episodes=4",
    "gif=false",
)


HEADLESS = {"SDL_VIDEODRIVER": "dummy", "COLUMNS": "80"}


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def dagger(*words: str, cwd: Path, **environ: str) -> Outcome:
    """Run `dagger <words>` in the folder; the state of Hydra and of the process is put back."""
    out, err = io.StringIO(), io.StringIO()
    clean = {k: v for k, v in os.environ.items() if k not in ("DAGGER_TRACEBACK", "COMP_LINE")}
    code = 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, clean | HEADLESS | environ, clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", ["dagger", *words]))
        stack.enter_context(mock.patch.object(sys, "path", [*sys.path]))
        # Only a power cut can tell the difference.
        stack.enter_context(mock.patch.object(os, "fsync", lambda handle: None))
        stack.enter_context(inside(cwd))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        if not any(word.startswith("gif=") for word in words) and words[:1] == ("train",):
            stack.enter_context(mock.patch("dagger_cli.commands.train.write_gif", _no_gif))
        stack.callback(_forget)
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return Outcome(code, out.getvalue(), err.getvalue())


def _no_gif(*_: object) -> tuple[None, str]:
    """Saves the time of a film that no test looks at; `gif=true` among the words makes one."""
    return None, ""


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _forget() -> None:
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None


def train(*words: str, cwd: Path, run: str = "run") -> Path:
    """A tiny run in `cwd/run`; it must succeed without a word on stderr."""
    done = dagger("train", *TINY, *words, f"hydra.run.dir={run}", cwd=cwd)
    assert (done.code, done.err) == (0, ""), done.err
    return cwd / run


def assert_chosen(words: list[str], config: str) -> None:
    """Every word says what the config, YAML as `--cfg job` prints it, came to."""
    composed = yaml.safe_load(config)
    for word in words:
        key, _, value = word.partition("=")
        if key in options():
            option = config_dir() / key / f"{value}.yaml"
            own = yaml.safe_load(option.read_text(encoding="utf-8"))
            if "_target_" in own:
                assert composed[key]["_target_"] == own["_target_"], word
            continue
        node = composed
        for part in key.split("."):
            node = node[part]
        assert node == yaml.safe_load(value), word


def metrics(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def summary(run: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((run / "summary.json").read_text())
    return value


def aggregate(run: Path) -> dict[str, bytes]:
    """The rows of each round: its file without the note on who has acted."""
    folder = run / "checkpoints" / "aggregate"
    return {path.name: _without_note(path.read_bytes()) for path in folder.iterdir()}


def _without_note(file: bytes) -> bytes:
    end = 8 + int.from_bytes(file[:8], "little")  # the form of safetensors
    header = json.loads(file[8:end])
    header["__metadata__"].pop("note", None)
    return json.dumps(header, sort_keys=True).encode() + file[end:]


def numbers(run: Path) -> dict[str, Any]:
    """All that must be equal where two runs are the same run: bits, counters and scores."""
    checkpoints = run / "checkpoints"
    arrays = {
        f"{which}/{name}": (checkpoints / which / f"{name}.safetensors").read_bytes()
        for which in ("best", "last")
        for name in ("policy", "env")
    }
    lines = [{k: v for k, v in row.items() if not k.startswith("time/")} for row in metrics(run)]
    ended = {k: v for k, v in summary(run).items() if k not in ("wall_seconds", "commands")}
    links = {which: os.readlink(checkpoints / which) for which in ("best", "last")}
    return {**arrays, "aggregate": aggregate(run), "metrics": lines, "summary": ended, **links}


def differences(a: Path, b: Path) -> list[str]:
    """The names of what differs; short to read where bytes would not be."""
    one, two = numbers(a), numbers(b)
    return [name for name in one if one[name] != two[name]]
