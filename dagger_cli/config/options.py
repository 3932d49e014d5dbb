"""What a command line may say: the commands, and what the config groups offer.

The latter is read from the names of the files, because `dagger --help` must be quick.
"""

from __future__ import annotations

import re
from pathlib import Path

COMMANDS = (
    "train",
    "eval",
    "expert fetch",
    "expert show",
    "expert list",
    "expert score",
    "expert convert",
    "push",
    "export",
)
GROUPS = ("env", "expert", "policy", "beta_schedule", "trainer", "logger", "experiment")


def config_dir() -> Path:
    """Where the YAML files are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def options() -> dict[str, list[str]]:
    """The options of every group, in alphabetical order."""
    root = config_dir()
    return {group: sorted(p.stem for p in (root / group).glob("*.yaml")) for group in GROUPS}


def sweeps_by_itself(experiment: str | None) -> bool:
    """Returns whether an experiment sets `hydra.mode: MULTIRUN`."""
    path = config_dir() / "experiment" / f"{experiment}.yaml"
    return path.is_file() and bool(re.search(r"^ +mode: MULTIRUN", path.read_text("utf-8"), re.M))


def best_experiment(env: str) -> str | None:
    """The experiment that an environment names as its best (`best:` in its YAML), if it does."""
    path = config_dir() / "env" / f"{env}.yaml"
    named = re.search(r"^best: *(\w+)", path.read_text("utf-8"), re.M) if path.is_file() else None
    return named[1] if named else None
