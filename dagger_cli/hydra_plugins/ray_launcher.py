"""Launcher `hydra/launcher=ray`: every job of a sweep is a task of a Ray cluster.

Ray gives a task to another worker when its process or its node is lost; the job then goes on in its
folder. The folder of the sweep must be on a file system that all nodes share. The keys are those of
hydra-ray-launcher, which needs older libraries than ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.ray_engine import connected
from dagger_cli.utils.system import use_cores

RAY = "dagger_cli.hydra_plugins.ray_launcher.RayLauncher"


@dataclass
class RayConf:
    """Config of the launcher."""

    _target_: str = RAY
    ray: dict[str, Any] = field(
        default_factory=lambda: {
            "init": {"address": None, "num_cpus": None},  # null: a cluster on this machine alone
            "remote": {"num_cpus": 1, "num_gpus": 0, "max_retries": 10},  # of each job
        }
    )


class RayLauncher(Launcher):
    """Submits the jobs of a sweep to Ray and waits for them."""

    def __init__(self, ray: DictConfig) -> None:
        settings = OmegaConf.to_container(ray, resolve=True)
        assert isinstance(settings, dict)
        self._init, self._remote = settings["init"], settings["remote"]

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keeps what a job needs, as Hydra asks of a launcher."""
        self._shared = (hydra_context, config, task_function)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Runs the jobs; returns their results in order.

        Raises ConfigError where Ray cannot be reached, or lost a job as often as `max_retries`.
        """
        setup_globals()
        ray = connected(**self._init)
        cores = self._remote.get("num_cpus") or 1
        place = (os.getcwd(), [*sys.path], max(1, int(cores)))
        shared = ray.put((self._shared, Singleton.get_state(), place))
        task = ray.remote(_job).options(**self._remote)
        jobs = [
            task.remote(shared, initial_job_idx + i, [*overrides])
            for i, overrides in enumerate(job_overrides)
        ]
        try:
            results: list[JobReturn] = ray.get(jobs)
        except KeyboardInterrupt:
            for job in jobs:
                ray.cancel(job, force=True)
            raise
        except ray.exceptions.RayError as err:
            reason = str(err).strip().partition("\n")[0]
            raise ConfigError(f"Ray could not run a job ({type(err).__name__}: {reason})") from err
        return results


def _job(shared: Any, number: int, overrides: list[str]) -> JobReturn:
    """Runs one job in a process of Ray."""
    (hydra_context, master, task_function), singletons, (folder, path, cores) = shared
    if Path(folder).is_dir():  # relative paths of the command line
        os.chdir(folder)
    sys.path[:] = list(dict.fromkeys([*path, *sys.path]))
    use_cores(cores)
    setup_globals()
    Singleton.set_state(singletons)
    config = hydra_context.config_loader.load_sweep_config(master, overrides)
    with open_dict(config):
        config.hydra.job.id, config.hydra.job.num = f"ray_{number}", number
    return run_job(
        hydra_context=hydra_context,
        task_function=task_function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
