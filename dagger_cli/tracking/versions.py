"""Versions that a run was made with."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from dagger_cli import __version__
from dagger_cli.utils.git import revision

# The dependencies in pyproject.toml (a test compares them), and the physics engine of
# gymnasium[box2d], which has one of two names.
_PACKAGES = (
    "envpool",
    "filelock",
    "gymnasium",
    "huggingface_hub",
    "hydra-core",
    "imageio",
    "numba",
    "numpy",
    "omegaconf",
    "pillow",
    "platformdirs",
    "pyyaml",
    "requests",
    "rich",
    "rl_zoo3",
    "safetensors",
    "stable-baselines3",
    "tensorboard",
    "torch",
    "box2d",
    "box2d-py",
)


def versions() -> dict[str, Any]:
    """Returns versions of Python, platform, installed packages, and the git revision here."""
    return {
        "dagger-cli": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "packages": _installed(),
        "git": _git(),
    }


def _installed() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git() -> dict[str, Any] | None:
    """Returns the revision of the repository around the current folder; None without one."""
    try:
        found = revision(Path.cwd())
    except FileNotFoundError:  # the current folder was deleted
        return None
    return None if found is None else {"revision": found}
