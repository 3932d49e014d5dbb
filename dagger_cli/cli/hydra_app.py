"""Hands a command line to Hydra, which composes its config and calls a function once per job."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hydra._internal.utils import _run_hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from dagger_cli.cli.command_line import CommandLine, arguments_of
from dagger_cli.cli.error_messages import explain
from dagger_cli.cli.fast_start import composed_once
from dagger_cli.cli.hydra_compat import register_resolver, use_defaults_of_1_3
from dagger_cli.cli.unknown_keys import root_of
from dagger_cli.cli.validate_args import check
from dagger_cli.config.options import GLOBAL, best_experiment, config_dir, sweeps_by_itself
from dagger_cli.config.schema import register
from dagger_cli.core.errors import ConfigError
from dagger_cli.hydra_plugins.optuna_sweeper import MINIMIZED
from dagger_cli.hydra_plugins.register import own_plugins, register_plugins
from dagger_cli.utils.system import at_home


def completed_line(line: CommandLine) -> CommandLine:
    """Checks the line; adds the folder of a resumed run or the environment's best experiment."""
    check(line)
    if line.command != "train":
        return line
    by_itself = any(sweeps_by_itself(group, line.text_of(group)) for group in GLOBAL)
    if by_itself and "hydra.mode" not in line.keys:
        line = line.plus("hydra.mode=MULTIRUN")  # Hydra 1.4 reads it from nowhere else
    if line.text_of("hydra/sweeper") == "optuna":
        # For hydra-optuna-sweeper, whose default is minimize.
        direction = "minimize" if line.text_of("objective") in MINIMIZED else "maximize"
        line = line.plus(f"hydra.sweeper.direction={direction}")
    resumed = line.text_of("resume")
    if resumed is None:
        return _with_best_experiment(line)
    from dagger_cli.tracking.answers import unfinished_first_round
    from dagger_cli.tracking.checkpoint import resolve_run
    from dagger_cli.tracking.latest import with_latest

    given = with_latest(at_home(resumed), Path())
    first = unfinished_first_round(given)
    return line.in_folder(resolve_run(given) if first is None else first.resolve())


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
    register_plugins()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise exceptions instead of printing them
    logged = logging.raiseExceptions
    try:
        logging.raiseExceptions = False  # `--info | head` closes the pipe that Hydra logs to
        with own_plugins(), composed_once(line), _comments_in_help(line):
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


@contextlib.contextmanager
def _comments_in_help(line: CommandLine) -> Iterator[None]:
    """Adds the comments of the YAML files to what Hydra prints for --help."""
    if not line.flags.help:
        yield
        return
    from dagger_cli.cli.help_comments import commented

    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        print(commented(printed.getvalue(), line), end="")


def _groups(*names: str) -> str:
    """Returns one line per group with its options, for `--help`, including a --config-dir.

    Hydra's own list also has the schemas, and groups that a command does not use.
    """
    loader = GlobalHydra.instance().config_loader()
    return "\n".join(f"{name}: {', '.join(loader.get_group_options(name))}" for name in names)
