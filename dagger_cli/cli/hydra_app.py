"""Runs a command under Hydra: composes its config, and calls its function once per job."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

from hydra._internal.utils import _run_hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dagger_cli.cli.command_line import CommandLine, arguments_of, parse
from dagger_cli.cli.dispatch import TASKS
from dagger_cli.cli.error_messages import explain
from dagger_cli.cli.fast_start import composed_once
from dagger_cli.cli.hydra_compat import register_resolver, use_defaults_of_1_3
from dagger_cli.cli.shorthands import shorten
from dagger_cli.cli.validate_args import check
from dagger_cli.config.options import best_experiment, config_dir, sweeps_by_itself
from dagger_cli.config.schema import NODES, ROOTS, register
from dagger_cli.config.typed import unknown_key
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Score

Task = Callable[[DictConfig], None]


def run(command: str, words: Sequence[str]) -> int:
    """Runs `dagger <command> <words>`; returns the exit code, raises the error of a single job."""
    line = completed_line(parse(command, words))
    jobs: list[_Job] = []
    with _no_file_of_a_sweep(line) as line:
        hand_over(line, _noting(jobs, command))
    if len(jobs) == 1 and isinstance(jobs[0].result, Exception):
        raise jobs[0].result
    if len(jobs) > 1:
        _sum_up(jobs)
    return 0


def completed_line(line: CommandLine) -> CommandLine:
    """Checks the line; adds the folder of a resumed run or the environment's best experiment."""
    check(line)
    if line.command != "train":
        return line
    if sweeps_by_itself(line.text_of("experiment")) and "hydra.mode" not in line.keys:
        line = line.plus("hydra.mode=MULTIRUN")  # Hydra 1.4 reads it from nowhere else
    resumed = line.text_of("resume")
    if resumed is None:
        return _with_best_experiment(line)
    from dagger_cli.tracking.checkpoint import resolve_run

    return line.in_folder(resolve_run(resumed))


class _Job(NamedTuple):
    words: tuple[str, ...]
    result: Score | Exception | None


def _sum_up(jobs: Sequence[_Job]) -> None:
    """Prints a table of the scores of a sweep's jobs; raises ConfigError where one failed."""
    shared = frozenset.intersection(*(frozenset(job.words) for job in jobs))
    named = [(" ".join(shorten(w) for w in j.words if w not in shared), j.result) for j in jobs]
    scores = {name: result for name, result in named if isinstance(result, Score)}
    if len(scores) > 1:
        from dagger_cli.tracking.console import Console

        Console(failure_name="failures").compare(scores)
    failed = [(name, result) for name, result in named if isinstance(result, Exception)]
    for name, failure in failed[1:]:
        reason = explain(failure) or repr(failure)
        print(f"dagger: job {name} failed, too: {reason}", file=sys.stderr)
    for name, failure in failed[:1]:
        sentence = explain(failure)
        if sentence is None:
            raise failure
        raise ConfigError(f"job {name} failed: {sentence}") from failure


@contextlib.contextmanager
def _no_file_of_a_sweep(line: CommandLine) -> Iterator[CommandLine]:
    """Sends Hydra's file about a sweep to a temporary folder, for commands without run folders."""
    if line.command == "train" or not line.sweeps or "hydra.sweep.dir" in line.keys:
        yield line
        return
    with tempfile.TemporaryDirectory() as folder:
        yield line.plus(f"hydra.sweep.dir={folder}")


def _with_best_experiment(line: CommandLine) -> CommandLine:
    """Returns the line with its environment's best experiment, unless one is chosen."""
    env = line.text_of("env") or ""
    if line.keys & {"policy", "experiment"}:
        return line
    for one in env.split(",") if "," in env else ():
        if best_experiment(one) is not None:
            print(
                f"note: in a sweep over environments, env={one} uses the default settings, not "
                f"experiment={best_experiment(one)}",
                file=sys.stderr,
            )
    best = best_experiment(env)
    return line if best is None else line.plus(f"experiment={best}")


def hand_over(line: CommandLine, task: Task) -> None:
    """Lets Hydra compose the config of the command and call `task` once per job."""
    register()
    use_defaults_of_1_3()
    register_resolver("dagger_groups", _groups)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise exceptions instead of printing them
    logged = logging.raiseExceptions
    try:
        logging.raiseExceptions = False  # `--info | head` closes the pipe that Hydra logs to
        with composed_once(line):
            _run_hydra(
                args=arguments_of(line),
                args_parser=line.parser,
                task_function=task,
                config_path=str(config_dir()),
                config_name=root_of(line.command),
            )
    finally:
        logging.raiseExceptions = logged


def _groups(*names: str) -> str:
    """Returns one line per group with its options, for `--help`, including a --config-dir.

    Hydra's own list also has the schemas, and groups that a command does not use.
    """
    loader = GlobalHydra.instance().config_loader()
    return "\n".join(f"{name}: {', '.join(loader.get_group_options(name))}" for name in names)


def _noting(jobs: list[_Job], command: str) -> Task:
    """Returns a task that records errors instead of raising, so that a sweep continues."""

    def noting(cfg: DictConfig) -> None:
        config = HydraConfig.get()
        words = tuple(config.overrides.task)
        try:
            refuse_unknown(command, cfg)
            jobs.append(_Job(words, TASKS[command](cfg)))
        except Exception as err:
            jobs.append(_Job(words, err))
            _remove_empty(Path(config.runtime.output_dir))

    return noting


def refuse_unknown(command: str, cfg: DictConfig) -> None:
    """Raises ConfigError for an unknown key added with `+`, or a key removed with `~`."""
    for place, kind in {"": ROOTS[root_of(command)], **NODES}.items():
        node = OmegaConf.select(cfg, place) if place else cfg
        prefix = f"{place}." if place else ""
        known = [prefix + field.name for field in fields(kind)]
        names = [f"{prefix}{name!s}" for name in node or ()]
        for key in names:
            if key not in known:
                raise unknown_key(key, known)
        if not place and set(known) - set(names):
            key = min(set(known) - set(names))
            raise ConfigError(f"'~' removed {key}, which is needed: leave it out")


def root_of(command: str) -> str:
    """Returns the name of a command's config in conf/."""
    return command.replace(" ", "_")


def _remove_empty(folder: Path) -> None:
    """Removes an empty folder made by Hydra, and empty folders above it."""
    with contextlib.suppress(OSError, ValueError):
        while Path.cwd() in folder.parents:
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()  # raises OSError unless the folder is empty
            folder = folder.parent
