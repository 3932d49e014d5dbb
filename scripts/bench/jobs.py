"""Shared code of the benchmarks: options, jobs that are not run, and the machine's name."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

# Parts that `make bench` leaves out: they take long, or need the runs of `dagger bench`.
APART = ("ways", "reference", "peers", "curves", "peers_mujoco", "quality", "growth_large")


def options(words: list[str], **defaults: str) -> dict[str, str]:
    """Parses `key=value` words over the defaults; exits with the script's help on unknown keys."""
    given = defaults | dict(word.partition("=")[::2] for word in words)
    if set(given) - set(defaults):
        sys.exit(sys.modules["__main__"].__doc__ or "unknown option")
    return given


def job_of(*words: str) -> Any:
    """Creates the job of `dagger train WORDS` without running it."""
    from hydra import compose
    from omegaconf import OmegaConf

    from dagger_cli.cli.hydra_compat import initialized
    from dagger_cli.config import schema
    from dagger_cli.config.build import train_job
    from dagger_cli.config.options import config_dir

    schema.register()
    with initialized(str(config_dir())):
        cfg = compose("train", list(words))
    plain = OmegaConf.create({key: cfg[key] for key in cfg if key != "hydra"})
    return train_job(plain, [], sweep=True)


def machine() -> dict[str, Any]:
    """Returns a description of the machine."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
