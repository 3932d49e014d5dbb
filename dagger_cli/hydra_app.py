"""Hydra at work: composes the config of a command, sweeps, and calls it once a job."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dagger_cli.arguments import SHORT, expand, into_run_folder, touched, value_of
from dagger_cli.complaints import nearest
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Score
from dagger_cli.options import COMMANDS, best_experiment, config_dir
from dagger_cli.schema import ROOTS, register

Task = Callable[[DictConfig], None]


def run(command: str, words: Sequence[str]) -> int:
    """Run `dagger <command> <words>`; returns the exit code, raises what a single job raised."""
    words = expand(words)
    if any(word.startswith("--experimental-rerun") for word in words):
        raise ConfigError("--experimental-rerun unpickles a file and is refused; use resume=...")
    if command == "train" and (run_folder := value_of(words, "resume")) is not None:
        from dagger_cli.tracking.checkpoint import resolve_run

        words = into_run_folder(words, resolve_run(run_folder))
    elif command == "train":
        words = _at_its_best(words)
    failures: list[Exception] = []
    students: dict[tuple[str, ...], Score] = {}
    _check_flags(command, words)
    _hand_over(command, words, _noting(failures, students, command))
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


def _at_its_best(words: Sequence[str]) -> list[str]:
    """The words, and the best experiment of their environment where nothing else is chosen."""
    best = best_experiment(value_of(words, "env") or "")
    if best is None or touched(words) & {"policy", "experiment"}:
        return [*words]
    # Beside the other overrides, as argparse does not take them on both sides of a flag.
    at = next(i for i, word in enumerate(words) if word.lstrip("+").startswith("env="))
    return [*words[:at], f"experiment={best}", *words[at:]]


def complete(words: Sequence[str]) -> None:
    """Answer Hydra's completion scripts, which do not know our command words and short names."""
    if "query" not in " ".join(words):
        flags = [word for word in words if word not in " ".join(COMMANDS).split()]
        _hand_over("train", flags, _nothing)
        return
    line = os.environ.get("COMP_LINE", "")
    program, _, rest = line.partition(" ")
    rest = rest.lstrip()
    command = next((name for name in COMMANDS if rest.startswith(f"{name} ")), None)
    if command is None:
        print(" ".join(_next_words(rest.split(" ")[:-1])))
        return
    overrides = rest.removeprefix(f"{command} ")
    *before, last = overrides.split(" ")
    long = expand([last])[0]
    os.environ["COMP_LINE"] = " ".join([program, *expand(before), long])
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer):
        _hand_over(command, words, _nothing)
    short = next((s for s in SHORT if last.startswith((f"{s}=", f"{s}."))), None)
    print(answer.getvalue().replace(SHORT[short], short) if short else answer.getvalue(), end="")


def _next_words(before: Sequence[str]) -> list[str]:
    """The words of commands that may follow these."""
    parts = [name.split(" ") for name in COMMANDS]
    n = len(before)
    return list(dict.fromkeys(p[n] for p in parts if len(p) > n and p[:n] == list(before)))


def _hand_over(command: str, words: Sequence[str], task: Task) -> None:
    register()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach us instead of being printed
    sys.argv = [sys.argv[0], *words]
    root = _root(command)
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
            score = _TASKS[command](cfg)
            if score is not None:
                scores[tuple(config.overrides.task)] = score
        except Exception as err:
            failures.append(err)
            _remove_empty(Path(config.runtime.output_dir))

    return noting


def _refuse_unknown(command: str, cfg: DictConfig) -> None:
    """`+x=1` is taken by Hydra; nobody would read it."""
    known = {field.name for field in fields(ROOTS[_root(command)])}
    for key in map(str, cfg):
        if key not in known:
            raise ConfigError(
                f"there is no key '{key}'{nearest(key, known)}, so +{key}=... has no effect: "
                "leave it out"
            )


def _check_flags(command: str, words: Sequence[str]) -> None:
    """Hydra's own parser would print its usage and stop the program."""

    def complain(message: str) -> NoReturn:
        raise ConfigError(f"{message}; see `dagger {command} --help`")

    parser = get_args_parser()
    parser.error = complain  # type: ignore[method-assign]
    parser.parse_args(list(words))


def _root(command: str) -> str:
    """The name of a command's config in conf/."""
    return command.replace(" ", "_")


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
    shown = {"render": cfg.render, "video": cfg.video, "json": cfg.json}
    return score(job, checkpoint, **shown, width=_width(cfg))


def _width(cfg: DictConfig) -> int | None:
    """Of the beam; None is greedy."""
    if cfg.decode not in ("greedy", "beam"):
        raise ConfigError(f"decode must be greedy or beam, got '{cfg.decode}'")
    if cfg.decode == "greedy" and "width" in touched(HydraConfig.get().overrides.task):
        raise ConfigError(f"width={cfg.width} has no effect without decode=beam")
    return int(cfg.width) if cfg.decode == "beam" else None


def _expert_list(cfg: DictConfig) -> None:
    from dagger_cli.commands.expert import list_known

    list_known(str(cfg.env.get("id", cfg.env.name)), cfg.env.name)


def _expert_show(cfg: DictConfig) -> None:
    from dagger_cli.build import expert_of
    from dagger_cli.commands.expert import show

    show(*expert_of(cfg))


def _expert_score(cfg: DictConfig) -> Score:
    from dagger_cli.build import expert_job
    from dagger_cli.commands.expert import score

    return score(expert_job(cfg), cfg.json)


def _expert_fetch(cfg: DictConfig) -> None:
    if "fallback" not in cfg.expert:
        raise ConfigError(
            "dagger expert fetch downloads from the Hub (expert=hub); for an agent that is here, "
            "use dagger expert convert"
        )
    cfg.expert.fallback = "none"
    _expert_convert(cfg)


def _expert_convert(cfg: DictConfig) -> None:
    from dagger_cli.build import expert_of
    from dagger_cli.commands.expert import save

    out = cfg.out  # a missing one is reported before anything is loaded
    save(*expert_of(cfg), out)


def _push(cfg: DictConfig) -> None:
    from dagger_cli.commands.push import push

    push(
        cfg.checkpoint,
        cfg.repo_id,
        private=cfg.private,
        video=cfg.video,
        message=cfg.message,
    )


def _export(cfg: DictConfig) -> None:
    from dagger_cli.build import source_of
    from dagger_cli.commands.export import check, export
    from dagger_cli.tracking.checkpoint import read_manifest, resolve_checkpoint

    folder, path = resolve_checkpoint(cfg.checkpoint), Path(cfg.path).expanduser()
    check(cfg.format, path)
    keys = touched(HydraConfig.get().overrides.task)
    source = source_of(cfg, keys, read_manifest(folder).config)
    export(folder, cfg.format, path, source)


_TASKS: dict[str, Callable[[DictConfig], Score | None]] = {
    "train": _train,
    "eval": _eval,
    "expert fetch": _expert_fetch,
    "expert show": _expert_show,
    "expert list": _expert_list,
    "expert score": _expert_score,
    "expert convert": _expert_convert,
    "push": _push,
    "export": _export,
}


def _shown(folder: Path) -> Path:
    """Relative where that is shorter to read and type."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _nothing(cfg: DictConfig) -> None:
    """Completion composes configs but runs no job."""
