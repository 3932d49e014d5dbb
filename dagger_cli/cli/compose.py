"""Composes a command's config in a program, without leaving Hydra's global state changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from dagger_cli.cli.command_line import parse
from dagger_cli.cli.hydra_app import completed_line
from dagger_cli.cli.hydra_compat import initialized
from dagger_cli.cli.unknown_keys import refuse_unknown, root_of
from dagger_cli.config.options import config_dir
from dagger_cli.config.schema import register
from dagger_cli.core.errors import ConfigError


@contextmanager
def composed(command: str, words: Sequence[str]) -> Iterator[DictConfig]:
    """Yields the config that `dagger <command> <words>` would run with.

    Raises ConfigError for a sweep: a program writes its own loop.
    """
    register()
    line = completed_line(parse(command, words))
    if line.sweeps:
        raise ConfigError("--multirun is for the command line; in a program, write a loop")
    if line.flags.config_dir is not None:
        folder = Path(line.flags.config_dir).absolute()
        line = line.plus(f"hydra.searchpath=['file://{folder}']")
    kept, outer = HydraConfig.instance().cfg, GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()  # of a program that uses Hydra itself
    try:
        with initialized(str(config_dir())):
            whole = compose(root_of(command), line.texts, return_hydra_config=True)
            _complete_hydra(whole)
            HydraConfig.instance().set_config(whole)
            cfg = OmegaConf.masked_copy(whole, [str(key) for key in whole if key != "hydra"])
            refuse_unknown(command, cfg)
            yield cfg
    finally:
        HydraConfig.instance().cfg, GlobalHydra.instance().hydra = kept, outer


def _complete_hydra(cfg: DictConfig) -> None:
    """Sets what Hydra sets when it runs a job."""
    with open_dict(cfg):
        cfg.hydra.mode = RunMode.RUN
        cfg.hydra.runtime.cwd = os.getcwd()
        cfg.hydra.runtime.output_dir = str(Path(cfg.hydra.run.dir).absolute())
