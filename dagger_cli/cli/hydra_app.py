"""Hydra at work: composes the config of a command, sweeps, and calls it once a job."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import hydra
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dagger_cli.cli.dispatch import TASKS
from dagger_cli.cli.error_messages import explain, nearest
from dagger_cli.cli.shorthands import expand, into_run_folder, shorten, touched, value_of
from dagger_cli.cli.validate_args import check
from dagger_cli.config.options import best_experiment, config_dir
from dagger_cli.config.schema import NODES, ROOTS, register
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Score

Task = Callable[[DictConfig], None]


def run(command: str, words: Sequence[str]) -> int:
    """Run `dagger <command> <words>`; returns the exit code, raises what a single job raised."""
    words = expand(words)
    check(command, words)
    if command == "train" and (run_folder := value_of(words, "resume")) is not None:
        from dagger_cli.tracking.checkpoint import resolve_run

        words = into_run_folder(words, resolve_run(run_folder))
    elif command == "train":
        words = _at_its_best(words)
    jobs: list[_Job] = []
    with _kept_out_of_here(command, words) as kept:
        hand_over(command, kept, _noting(jobs, command))
    if len(jobs) == 1 and isinstance(jobs[0].result, Exception):
        raise jobs[0].result
    if len(jobs) > 1:
        _sum_up(jobs)
    return 0


class _Job(NamedTuple):
    words: tuple[str, ...]
    result: Score | Exception | None


def _sum_up(jobs: Sequence[_Job]) -> None:
    """A table of what the jobs of a sweep scored; raises where any of them failed."""
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
def _kept_out_of_here(command: str, words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Hydra writes a file about every sweep; one that makes no runs leaves it nowhere."""
    sweeps = any(word in ("-m", "--multirun") for word in words)
    at = next((i for i, word in enumerate(words) if re.match(r"[\w.+]+=", word)), None)
    if command == "train" or not sweeps or at is None or value_of(words, "hydra.sweep.dir"):
        yield words
        return
    with tempfile.TemporaryDirectory() as folder:
        yield [*words[:at], f"hydra.sweep.dir={folder}", *words[at:]]


def _at_its_best(words: Sequence[str]) -> list[str]:
    """The words, and the best experiment of their environment where nothing else is chosen."""
    env = value_of(words, "env") or ""
    if touched(words) & {"policy", "experiment"}:
        return [*words]
    for one in env.split(",") if "," in env else ():
        if best_experiment(one) is not None:
            print(
                f"note: in a sweep over environments env={one} is trained by its plain settings; "
                f"alone it takes experiment={best_experiment(one)}",
                file=sys.stderr,
            )
    best = best_experiment(env)
    if best is None:
        return [*words]
    # Beside the other overrides, as argparse does not take them on both sides of a flag.
    at = next(i for i, word in enumerate(words) if word.lstrip("+").startswith("env="))
    return [*words[:at], f"experiment={best}", *words[at:]]


def hand_over(command: str, words: Sequence[str], task: Task) -> None:
    """Have Hydra read the words, compose the config of `command` and call `task` once a job."""
    register()
    OmegaConf.register_new_resolver("dagger_groups", _groups, replace=True)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach us instead of being printed
    sys.argv = [sys.argv[0], *words]
    root = root_of(command)
    app = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=root)
    with contextlib.ExitStack() as stack:
        # `--info | head` closes the pipe that Hydra logs to: of no interest to anybody.
        stack.enter_context(_replaced(logging, "raiseExceptions", False))
        if not _may_set_mode(words):
            # Hydra would compose everything once more, only to see that nobody set the mode.
            stack.enter_context(_replaced(Hydra, "get_mode", _no_mode))
        app(task)()


def _groups(*names: str) -> str:
    """For `--help`: a line a group with its options, those of the user's --config-dir too.

    Hydra's own list has the schemas among them, and groups that a command does not take.
    """
    loader = GlobalHydra.instance().config_loader()
    return "\n".join(f"{name}: {', '.join(loader.get_group_options(name))}" for name in names)


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """What `unittest.mock.patch.object` does, which takes 20 ms to import."""
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def _may_set_mode(words: Sequence[str]) -> bool:
    """Whether `hydra.mode` is set by hand, by an experiment or by somebody else's folder."""
    experiment = value_of(words, "experiment")
    if experiment is not None:
        path = config_dir() / "experiment" / f"{experiment}.yaml"
        if not path.is_file() or "hydra:" in path.read_text(encoding="utf-8"):
            return True
    return any("hydra.mode" in word or word.startswith(("-c", "--config")) for word in words)


def _no_mode(hydra: Hydra, config_name: str | None, overrides: list[str]) -> None:
    """`--multirun` alone decides."""


def _noting(jobs: list[_Job], command: str) -> Task:
    """A task that never raises: a sweep goes on with its other jobs, and Hydra prints nothing."""

    def noting(cfg: DictConfig) -> None:
        config = HydraConfig.get()
        words = tuple(config.overrides.task)
        try:
            _refuse_unknown(command, cfg)
            jobs.append(_Job(words, TASKS[command](cfg)))
        except Exception as err:
            jobs.append(_Job(words, err))
            _remove_empty(Path(config.runtime.output_dir))

    return noting


def _refuse_unknown(command: str, cfg: DictConfig) -> None:
    """`+x=1` is taken by Hydra; nobody would read it."""
    for place, kind in {"": ROOTS[root_of(command)], **NODES}.items():
        node = OmegaConf.select(cfg, place) if place else cfg
        prefix = f"{place}." if place else ""
        known = [prefix + field.name for field in fields(kind)]
        for key in (f"{prefix}{name!s}" for name in node or ()):
            if key not in known:
                raise ConfigError(
                    f"there is no key '{key}'{nearest(key, known)}, so +{key}=... has no effect: "
                    "leave it out"
                )


def root_of(command: str) -> str:
    """The name of a command's config in conf/."""
    return command.replace(" ", "_")


def _remove_empty(folder: Path) -> None:
    """A job that never began leaves no folder behind; Hydra makes it before asking us."""
    with contextlib.suppress(OSError):
        while Path.cwd() in folder.parents:
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()  # refuses where there is anything inside
            folder = folder.parent
