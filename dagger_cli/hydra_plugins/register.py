"""Makes this package's launchers and sweepers known to Hydra."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import DictConfig

from dagger_cli.core.errors import ConfigError
from dagger_cli.hydra_plugins.optuna_sweeper import OPTUNA, OptunaConf, OptunaSweeper
from dagger_cli.hydra_plugins.ray_launcher import RAY, RayConf, RayLauncher

# Options of Optuna, with the parameters that are changed most; others are added with `+`.
SAMPLERS: dict[str, dict[str, Any]] = {
    "tpe": {"_target_": "optuna.samplers.TPESampler", "seed": None, "n_startup_trials": 10,
            "multivariate": False},
    "random": {"_target_": "optuna.samplers.RandomSampler", "seed": None},
    "qmc": {"_target_": "optuna.samplers.QMCSampler", "seed": None},
    "cmaes": {"_target_": "optuna.samplers.CmaEsSampler", "seed": None},
    "gp": {"_target_": "optuna.samplers.GPSampler", "seed": None},
}  # fmt: skip
PRUNERS: dict[str, dict[str, Any]] = {
    "none": {},
    "median": {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 5,
               "n_warmup_steps": 2},
    "percentile": {"_target_": "optuna.pruners.PercentilePruner", "percentile": 25.0,
                   "n_startup_trials": 5, "n_warmup_steps": 2},
    "successive_halving": {"_target_": "optuna.pruners.SuccessiveHalvingPruner"},
    "hyperband": {"_target_": "optuna.pruners.HyperbandPruner"},
}  # fmt: skip


OWN = {OPTUNA: OptunaSweeper, RAY: RayLauncher}


@cache
def register_plugins() -> None:
    """Adds `hydra/launcher=ray` and, unless its own plug-in is there, `hydra/sweeper=optuna`."""
    _check()
    store = ConfigStore.instance().store
    store(group="hydra/launcher", name="ray", node=RayConf)
    if has_plugin():
        return
    store(group="hydra/sweeper", name="optuna", node=OptunaConf)
    for group, options in (("sampler", SAMPLERS), ("pruner", PRUNERS)):
        for name, node in options.items():
            store(group=f"hydra/sweeper/{group}", name=name, node=node)


@contextmanager
def own_plugins() -> Iterator[None]:
    """Lets Hydra create the classes of this package, too; its own are those of `hydra_plugins`."""
    create = Plugins._instantiate

    def created(self: Plugins, config: DictConfig) -> Any:
        own = OWN.get(str(config.get("_target_")))
        if own is None:
            return create(self, config)
        return own(**{str(key): value for key, value in config.items() if key != "_target_"})

    Plugins._instantiate = created  # type: ignore[method-assign]
    try:
        yield
    finally:
        Plugins._instantiate = create  # type: ignore[method-assign]


def _check() -> None:
    """Raises ConfigError where a plug-in that is installed cannot be imported."""
    try:
        Plugins.instance()
    except Exception as err:  # of the plug-in's module
        frames = [frame for frame, _ in traceback.walk_tb(err.__traceback__)]
        places = [str(frame.f_globals.get("__name__")) for frame in frames]
        name = next((place for place in places if place.startswith("hydra_plugins.")), "")
        raise ConfigError(
            f"the installed plug-in of Hydra {name} cannot be imported "
            f"({type(err).__name__}: {err}): upgrade or uninstall it"
        ) from err


def has_plugin() -> bool:
    """Returns whether hydra-optuna-sweeper is installed."""
    try:
        return find_spec("hydra_plugins.hydra_optuna_sweeper") is not None
    except ModuleNotFoundError:  # no plug-in at all
        return False
