"""Runs a command under Hydra: composes its config, and calls its function once per job."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra._internal.utils import _run_hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from dagger_cli.cli.command_line import CommandLine, arguments_of, parse
from dagger_cli.cli.error_messages import explain
from dagger_cli.cli.fast_start import composed_once
from dagger_cli.cli.hydra_compat import register_resolver, use_defaults_of_1_3
from dagger_cli.cli.jobs import Task, recorded, records, sum_up
from dagger_cli.cli.unknown_keys import root_of
from dagger_cli.cli.validate_args import check
from dagger_cli.config.options import best_experiment, config_dir, sweeps_by_itself
from dagger_cli.config.schema import register
from dagger_cli.core.errors import ConfigError


def run(command: str, words: Sequence[str]) -> int:
    """Runs `dagger <command> <words>`; returns the exit code, raises the error of a job."""
    line = completed_line(parse(command, words))
    with _no_file_of_a_sweep(line) as line, records(_sweep_folder(line)) as folder:
        task = Task(command, folder)
        try:
            hand_over(line, task)
        except Exception:
            sum_up(recorded(folder))  # a failed job says more than the sweeper it stopped
            raise
        if folder.exists():
            sum_up(recorded(folder))
        elif task.errors:
            raise task.errors[0]
    return 0


def _sweep_folder(line: CommandLine) -> Path:
    """Returns the folder of a sweep, as far as it is known before the config is composed."""
    given = line.text_of("hydra.sweep.dir")
    return Path("outputs" if given is None or "${" in given else given)


def completed_line(line: CommandLine) -> CommandLine:
    """Checks the line; adds the folder of a resumed run or the environment's best experiment."""
    check(line)
    if line.command != "train":
        return line
    if sweeps_by_itself(line.text_of("experiment")) and "hydra.mode" not in line.keys:
        line = line.plus("hydra.mode=MULTIRUN")  # Hydra 1.4 reads it from nowhere else
    if line.text_of("hydra/sweeper") == "optuna":
        line = line.plus("hydra.sweeper.direction=maximize")  # returns; its default is minimize
    resumed = line.text_of("resume")
    if resumed is None:
        return _with_best_experiment(line)
    from dagger_cli.tracking.checkpoint import resolve_run

    return line.in_folder(resolve_run(resumed))


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


def hand_over(line: CommandLine, task: Callable[[DictConfig], Any]) -> None:
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
    except Exception as err:  # of Hydra or a plugin: the task keeps those of jobs
        if isinstance(err, OSError) or explain(err) is not None:
            raise
        reason = str(err).partition("\n")[0][:200]
        raise ConfigError(
            f"Hydra cannot run this command line ({type(err).__name__}: {reason}): look for a "
            "value of another type than its key has (--traceback shows where)"
        ) from err
    finally:
        logging.raiseExceptions = logged


def _groups(*names: str) -> str:
    """Returns one line per group with its options, for `--help`, including a --config-dir.

    Hydra's own list also has the schemas, and groups that a command does not use.
    """
    loader = GlobalHydra.instance().config_loader()
    return "\n".join(f"{name}: {', '.join(loader.get_group_options(name))}" for name in names)
