"""Hydra at work: composes the config of a command, sweeps, and calls it once a job."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dagger_cli.arguments import SHORT, expand, into_run_folder, touched, value_of
from dagger_cli.cli import COMMANDS
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Score
from dagger_cli.options import config_dir
from dagger_cli.schema import register

Task = Callable[[DictConfig], None]


def run(command: str, words: Sequence[str]) -> int:
    """Run `dagger <command> <words>`; returns the exit code, raises what a single job raised."""
    words = expand(words)
    if any(word.startswith("--experimental-rerun") for word in words):
        raise ConfigError("--experimental-rerun unpickles a file and is refused; use resume=...")
    if command == "train" and (run_folder := value_of(words, "resume")) is not None:
        from dagger_cli.tracking.checkpoint import resolve_run

        words = into_run_folder(words, resolve_run(run_folder))
    failures: list[Exception] = []
    students: dict[tuple[str, ...], Score] = {}
    tasks: dict[str, Callable[[DictConfig], Score]] = {"train": _train, "eval": _eval}
    _hand_over(command, words, _noting(failures, students, tasks[command]))
    if len(students) > 1:
        from dagger_cli.tracking.console import Console

        shared = frozenset.intersection(*map(frozenset, students))
        named = {" ".join(w for w in words if w not in shared): s for words, s in students.items()}
        Console(rounds=0, failure_name="failures").compare(named)
    for failure in failures[1:]:
        print(f"dagger: another job failed too: {failure}", file=sys.stderr)
    if failures:
        raise failures[0]
    return 0


def complete(words: Sequence[str]) -> None:
    """Answer Hydra's completion scripts, which do not know our command words and short names."""
    if "query" not in " ".join(words):
        _hand_over("train", [word for word in words if word not in COMMANDS], _nothing)
        return
    line = os.environ.get("COMP_LINE", "")
    program, _, rest = line.partition(" ")
    command, _, overrides = rest.lstrip().partition(" ")
    if command not in COMMANDS or (not rest.endswith(" ") and not overrides):
        print(" ".join(COMMANDS))
        return
    *before, last = overrides.split(" ")
    long = expand([last])[0]
    os.environ["COMP_LINE"] = " ".join([program, *expand(before), long])
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer):
        _hand_over(command, words, _nothing)
    short = next((s for s in SHORT if last.startswith((f"{s}=", f"{s}."))), None)
    print(answer.getvalue().replace(SHORT[short], short) if short else answer.getvalue(), end="")


def _hand_over(command: str, words: Sequence[str], task: Task) -> None:
    register()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach us instead of being printed
    sys.argv = [sys.argv[0], *words]
    app = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=command)
    app(task)()


def _noting(
    failures: list[Exception],
    scores: dict[tuple[str, ...], Score],
    task: Callable[[DictConfig], Score],
) -> Task:
    """A task that never raises: a sweep goes on with its other jobs, and Hydra prints nothing."""

    def noting(cfg: DictConfig) -> None:
        config = HydraConfig.get()
        try:
            scores[tuple(config.overrides.task)] = task(cfg)
        except Exception as err:
            failures.append(err)
            _remove_empty(Path(config.runtime.output_dir))

    return noting


def _remove_empty(folder: Path) -> None:
    """A job that never began leaves no folder behind; Hydra makes it before asking us."""
    with contextlib.suppress(OSError):
        while Path.cwd() in folder.parents:
            folder.rmdir()  # refuses where there is anything inside
            folder = folder.parent


def _train(cfg: DictConfig) -> Score:
    from dagger_cli.build import resumed_job, train_job
    from dagger_cli.commands.train import train
    from dagger_cli.tracking.checkpoint import read_manifest, resolve_run

    config = HydraConfig.get()
    keys = touched(config.overrides.task)
    if cfg.resume is None:
        job = train_job(cfg, keys, sweep=config.mode == RunMode.MULTIRUN)
        return train(job, _shown(Path(config.runtime.output_dir)), resume=False)
    folder = resolve_run(cfg.resume)
    saved = read_manifest(folder / "checkpoints" / "last").config
    return train(resumed_job(cfg, keys, saved), _shown(folder), resume=True)


def _eval(cfg: DictConfig) -> Score:
    from dagger_cli.build import eval_job, expert_job
    from dagger_cli.commands.evaluate import score
    from dagger_cli.tracking.checkpoint import read_manifest, resolve_checkpoint

    if cfg.checkpoint == "expert":
        job, checkpoint = expert_job(cfg), None
    else:
        checkpoint = resolve_checkpoint(cfg.checkpoint)
        keys = touched(HydraConfig.get().overrides.task)
        job = eval_job(cfg, keys, read_manifest(checkpoint).config)
    return score(job, checkpoint, render=cfg.render, video=cfg.video, json=cfg.json)


def _shown(folder: Path) -> Path:
    """Relative where that is shorter to read and type."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _nothing(cfg: DictConfig) -> None:
    """Completion composes configs but runs no job."""
