"""Versions that a run was made with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from typing import Any

from dagger_cli import __version__

# The dependencies in pyproject.toml (a test compares them), and the physics engine of
# gymnasium[box2d], which has one of two names.
_PACKAGES = (
    "envpool",
    "gymnasium",
    "huggingface_hub",
    "hydra-core",
    "imageio",
    "numba",
    "numpy",
    "omegaconf",
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
    """Returns the revision and whether tracked files differ; None outside of a repository."""
    revision = _ask_git("rev-parse", "HEAD")
    if revision is None:
        return None
    changes = _ask_git("status", "--porcelain", "--untracked-files=no")
    return {"revision": revision, "dirty": None if changes is None else bool(changes)}


def _ask_git(*arguments: str) -> str | None:
    # Without optional locks `status` does not write to the repository; fsmonitor is disabled, as an
    # untrusted repository may name any program there.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        answer = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=3,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
