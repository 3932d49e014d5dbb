"""Command line of a sweep: its folder and name, and what a resumed sweep takes from sweep.yaml."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from omegaconf import DictConfig, OmegaConf, open_dict

from dagger_cli.cli.command_line import CommandLine, parse
from dagger_cli.cli.fast_start import may_set_mode
from dagger_cli.cli.hydra_compat import initialized
from dagger_cli.cli.unknown_keys import root_of
from dagger_cli.config.options import config_dir
from dagger_cli.config.person import check_swept
from dagger_cli.config.schema import register
from dagger_cli.core.errors import ConfigError
from dagger_cli.hydra_plugins.register import register_plugins
from dagger_cli.sweeps.sweep_file import read_words, resume_command, safe
from dagger_cli.tracking.run_paths import SWEEP
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.quoting import hydra_quoted
from dagger_cli.utils.system import at_home

MIXED = "outputs/mixed/${now:%Y-%m-%d_%H-%M-%S}_${hydra.job.name}"  # of several environments


class Sweep(NamedTuple):
    """Sweep as its first process sees it.

    `chosen`: the user named the folder. `fixed` are the overrides that all jobs share; `total` is
    the number of jobs, None where only the sweeper knows.
    """

    line: CommandLine
    folder: Path
    chosen: bool
    fixed: frozenset[str]
    total: int | None


def sweep_of(line: CommandLine) -> Sweep | None:
    """Returns the sweep that a line starts; None for a single run."""
    shows_only = line.flags.help or line.flags.cfg or line.flags.info or line.flags.hydra_help
    if shows_only or not (line.sweeps or may_set_mode(line)):
        return None
    with _master(line) as cfg:
        if not line.sweeps and str(cfg.hydra.mode) != "RunMode.MULTIRUN":
            return None
        params = _params(cfg)
        swept = [*(o for o in line.overrides if o.is_sweep_override()), *params]
        if all(o.key_or_group != "expert" for o in swept):
            check_swept(cfg.expert)  # before there is a folder
        if "hydra.job.name" not in line.keys:
            name = "_".join(dict.fromkeys(_short(o) for o in swept)) or "sweep"
            line = line.plus(f"hydra.job.name={hydra_quoted(name[:60])}")
            with open_dict(cfg):
                cfg.hydra.job.name = name[:60]
        several = any(o.key_or_group == "env" for o in swept)
        if several and "hydra.sweep.dir" not in line.keys:
            cfg.hydra.sweep.dir = MIXED
        folder = Path(str(cfg.hydra.sweep.dir))
        basic = str(cfg.hydra.sweeper.get("_target_")).endswith(".BasicSweeper")
        total = _product(swept) if basic else cfg.hydra.sweeper.get("n_trials")
    varied = {o.key_or_group for o in swept}
    shared = [o for o in line.overrides if o.key_or_group not in varied]
    fixed = {*(str(o.input_line) for o in shared), *map(_as_of_a_job, shared)}
    chosen = "hydra.sweep.dir" in line.keys
    return Sweep(line, folder, chosen, frozenset(fixed), total)


def typed(line: CommandLine) -> list[str]:
    """Returns what sweep.yaml keeps of a line, to start the sweep again."""
    flags = ("config_dir", "config_path", "config_name")
    names = ((name, getattr(line.flags, name)) for name in flags)
    chosen = [f"--{name.replace('_', '-')}={value}" for name, value in names if value is not None]
    return [*chosen, *line.without("resume", "retry", "hydra.sweep.dir").texts]


def resumed(line: CommandLine) -> CommandLine:
    """Returns the line of the sweep that `resume=` names, with the overrides typed now.

    A line that resumes no sweep is returned as it is. Raises ConfigError where the sweep was
    started with arguments that a folder must not choose, unless they are typed again.
    """
    given = line.text_of("resume") if line.command == "train" else None
    folder = at_home(given) if given is not None else None
    if folder is None or not (folder / SWEEP).is_file():
        return line
    new = [*typed(line), f"hydra.sweep.dir={hydra_quoted(str(folder.absolute()))}"]
    keys = {_key(word) for word in new}
    words = [word for word in read_words(folder) if _key(word) not in keys]
    unsafe = [word for word in words if not safe(word)]
    if unsafe:
        raise ConfigError(
            f"the sweep in {shown_path(folder)} was started with {' '.join(unsafe)}, which a "
            f"folder must not choose: type it again, {resume_command(folder, words)}"
        )
    again = [f"retry={line.text_of('retry')}"] if "retry" in line.keys else []
    return parse("train", ["-m", *words, *new, *again])


def retries(line: CommandLine) -> bool:
    """Returns the value of `retry`; ConfigError where it is not a truth value, or has no effect."""
    given = line.text_of("retry")
    if given not in (None, "true", "false"):
        raise ConfigError(f"retry must be true or false, got '{given}'")
    if given == "true" and not line.sweeps:
        raise ConfigError("retry=true has no effect without resume=<folder of a sweep>")
    return given == "true"


def _key(word: str) -> str:
    return word.lstrip("+~").partition("=")[0]


@contextmanager
def _master(line: CommandLine) -> Iterator[DictConfig]:
    """Yields the config of a sweep, without the values that are swept."""
    register()
    register_plugins()
    if line.flags.config_dir is not None:
        folder = Path(line.flags.config_dir).absolute()
        if not folder.is_dir():
            raise ConfigError(f"--config-dir: '{folder}' not found")
        line = line.plus(f"hydra.searchpath=['file://{folder}']")
    name = line.flags.config_name or root_of(line.command)
    texts = [str(o.input_line) for o in line.overrides if not o.is_sweep_override()]
    with initialized(line.flags.config_path or str(config_dir())):
        yield compose(name, texts, return_hydra_config=True)


def _params(cfg: DictConfig) -> list[Override]:
    """Returns what an experiment sweeps over, in `hydra.sweeper.params`."""
    node = cfg.hydra.sweeper.get("params")
    params: Any = {} if node is None else OmegaConf.to_container(node, resolve=True)
    return OverridesParser.create().parse_overrides([f"{k}={v}" for k, v in params.items()])


def _as_of_a_job(override: Override) -> str:
    """Returns an override as sweepers pass it to jobs: `regret=False` for `regret=false`."""
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _short(override: Override) -> str:
    return override.key_or_group.rpartition(".")[2].rpartition("/")[2]


def _product(swept: list[Override]) -> int | None:
    """Returns the number of jobs of Hydra's own sweeper; None where a value is no list."""
    counts = {}
    for override in swept:
        if override.is_sweep_override():
            if not override.is_discrete_sweep() or isinstance(override.value(), Glob):
                return None
            counts[override.key_or_group] = sum(1 for _ in override.sweep_string_iterator())
    return math.prod(counts.values())
