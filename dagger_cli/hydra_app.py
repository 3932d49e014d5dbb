"""Hydra at work: composes the config of a command, sweeps, and calls it once a job."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dagger_cli.arguments import expand, into_run_folder, touched, value_of
from dagger_cli.complaints import nearest
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Score
from dagger_cli.options import best_experiment, config_dir
from dagger_cli.schema import ROOTS, register
from dagger_cli.tasks import TASKS
from dagger_cli.words import check

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
    failures: list[Exception] = []
    students: dict[tuple[str, ...], Score] = {}
    hand_over(command, words, _noting(failures, students, command))
    if len(students) > 1:
        from dagger_cli.tracking.console import Console

        shared = frozenset.intersection(*map(frozenset, students))
        named = {" ".join(w for w in words if w not in shared): s for words, s in students.items()}
        Console(failure_name="failures").compare(named)
    for failure in failures[1:]:
        print(f"dagger: another job failed too: {failure}", file=sys.stderr)
    if failures:
        raise failures[0]
    return 0


def _at_its_best(words: Sequence[str]) -> list[str]:
    """The words, and the best experiment of their environment where nothing else is chosen."""
    best = best_experiment(value_of(words, "env") or "")
    if best is None or touched(words) & {"policy", "experiment"}:
        return [*words]
    # Beside the other overrides, as argparse does not take them on both sides of a flag.
    at = next(i for i, word in enumerate(words) if word.lstrip("+").startswith("env="))
    return [*words[:at], f"experiment={best}", *words[at:]]


def hand_over(command: str, words: Sequence[str], task: Task) -> None:
    """Have Hydra read the words, compose the config of `command` and call `task` once a job."""
    register()
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


def _noting(
    failures: list[Exception],
    scores: dict[tuple[str, ...], Score],
    command: str,
) -> Task:
    """A task that never raises: a sweep goes on with its other jobs, and Hydra prints nothing."""

    def noting(cfg: DictConfig) -> None:
        config = HydraConfig.get()
        try:
            _refuse_unknown(command, cfg)
            score = TASKS[command](cfg)
            if score is not None:
                scores[tuple(config.overrides.task)] = score
        except Exception as err:
            failures.append(err)
            _remove_empty(Path(config.runtime.output_dir))

    return noting


def _refuse_unknown(command: str, cfg: DictConfig) -> None:
    """`+x=1` is taken by Hydra; nobody would read it."""
    known = {field.name for field in fields(ROOTS[root_of(command)])}
    for key in map(str, cfg):
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
