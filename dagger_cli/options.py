"""What the config groups offer, read from the names of the files: `dagger --help` must be quick."""

from __future__ import annotations

from pathlib import Path

GROUPS = ("env", "expert", "policy", "beta_schedule", "trainer", "experiment")


def config_dir() -> Path:
    """Where the YAML files are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def options() -> dict[str, list[str]]:
    """The options of every group, in alphabetical order."""
    root = config_dir()
    return {group: sorted(p.stem for p in (root / group).glob("*.yaml")) for group in GROUPS}
