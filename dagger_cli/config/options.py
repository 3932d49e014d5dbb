"""Names of the commands, and of the options of each config group.

Options are read from file names without loading Hydra, which keeps `dagger --help` fast.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER_COMMANDS = (
    "report",
    "runs",
    "compare",
    "tb",
    "bench",
    "data",
    "ask",
    "answer",
)  # of paths, without a config
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
    *FOLDER_COMMANDS,
)
GLOBAL = ("experiment", "hparams_search")  # groups whose options set keys of the whole config
GROUPS = (
    "env",
    "view",
    "expert",
    "policy",
    "beta_schedule",
    "trainer",
    "labeller",
    "logger",
    *GLOBAL,
)


def config_dir() -> Path:
    """Returns the folder of the YAML files: in an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def options() -> dict[str, list[str]]:
    """Returns the options of every group, in alphabetical order."""
    root = config_dir()
    return {group: sorted(p.stem for p in (root / group).glob("*.yaml")) for group in GROUPS}


def sweeps_by_itself(group: str, option: str | None) -> bool:
    """Returns whether an option of a group in `GLOBAL` sets `hydra.mode: MULTIRUN`."""
    path = config_dir() / group / f"{option}.yaml"
    return path.is_file() and bool(re.search(r"^ +mode: MULTIRUN", path.read_text("utf-8"), re.M))


def best_experiment(env: str) -> str | None:
    """Returns the experiment named by `best:` in an environment's YAML file, or None."""
    path = config_dir() / "env" / f"{env}.yaml"
    named = re.search(r"^best: *(\w+)", path.read_text("utf-8"), re.M) if path.is_file() else None
    return named[1] if named else None
