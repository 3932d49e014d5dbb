"""Libraries of the formats, which `dagger-cli` alone does not install."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dagger_cli.core.errors import ConfigError


def library(module: str, extra: str) -> Any:
    """Imports a module; raises ConfigError that names the extra where it is not installed."""
    try:
        return import_module(module)
    except ImportError as err:
        raise ConfigError(
            f"this format needs {module.partition('.')[0]}, which is not installed "
            f"({err}): pip install 'dagger-cli[{extra}]'"
        ) from err
