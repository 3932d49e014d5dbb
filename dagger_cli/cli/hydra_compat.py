"""Compatibility with Hydra 1.3 and OmegaConf 2.3, and with Hydra 1.4 and OmegaConf 2.4."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import hydra
from hydra import initialize_config_dir, version
from omegaconf import OmegaConf

IS_1_3 = hydra.__version__.startswith("1.3.")


def use_defaults_of_1_3() -> None:
    """Selects the defaults of Hydra 1.3; otherwise 1.3 uses those of 1.1, and 1.4 its own."""
    if IS_1_3:
        version.setbase("1.3")


def initialized(config_dir: str) -> AbstractContextManager[Any]:
    """Returns a context in which `hydra.compose` reads configs from a folder."""
    options = {"version_base": "1.3"} if IS_1_3 else {}
    block: AbstractContextManager[Any] = initialize_config_dir(
        config_dir, job_name="dagger", **options
    )
    return block


def register_resolver(name: str, function: Callable[..., Any]) -> None:
    """Makes `${name:...}` available in configs."""
    register: Any = OmegaConf.register_new_resolver if IS_1_3 else OmegaConf.register_resolver
    register(name, function, replace=True)
