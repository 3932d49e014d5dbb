"""Interactive imitation learning: the Python API of the command `dagger`.

Everything in `__all__` is public and documented in docs/extending.md. Names are imported when they
are first used, so `import dagger_cli` loads neither torch nor Hydra.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "1.0.0rc1"

_HOMES = {
    "dagger_cli.api.runs": ("Run", "load_run", "train"),
    "dagger_cli.api.policies": ("LoadedPolicy", "load_expert", "load_policy"),
    "dagger_cli.core.errors": ("CheckpointError", "ConfigError", "DaggerError", "ExpertError"),
    "dagger_cli.core.types": (
        *("Acts", "Card", "Env", "Expert", "Fitted", "Observation", "Policy", "Score", "Space"),
        *("Step", "Trajectories", "Usage"),
    ),
    "dagger_cli.core.budget": ("Budget",),
    "dagger_cli.core.dataset": ("Dataset", "aggregate"),
    "dagger_cli.core.kit": ("Kit", "Learner", "RngStreams"),
    "dagger_cli.core.policies": (
        *("Ensemble", "EpisodeMixture", "GatedPolicy", "Mixture", "NonStationaryPolicy"),
    ),
    "dagger_cli.core.schedules": ("Progress", "Schedule"),
    "dagger_cli.core.state": ("State",),
    "dagger_cli.loop.cost_to_go": ("CostRollouts", "Follow", "cost_examples"),
    "dagger_cli.loop.evaluate": ("evaluate",),
    "dagger_cli.loop.rollout": ("begin", "label", "rollout"),
    "dagger_cli.loop.run": ("Round", "run"),
    "dagger_cli.loop.trainer": ("Trainer",),
    "dagger_cli.loggers.interface": ("Logger", "RunInfo", "RunResult"),
    "dagger_cli.tracking.metrics": ("scalars",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Acts", "Budget", "Card", "CheckpointError", "ConfigError", "CostRollouts", "DaggerError",
    "Dataset", "Ensemble", "Env", "EpisodeMixture", "Expert", "ExpertError", "Fitted", "Follow",
    "GatedPolicy", "Kit", "Learner", "LoadedPolicy", "Logger", "Mixture", "NonStationaryPolicy",
    "Observation", "Policy", "Progress", "RngStreams", "Round", "Run", "RunInfo", "RunResult",
    "Schedule", "Score", "Space", "State", "Step", "Trainer", "Trajectories", "Usage",
    "__version__", "aggregate", "begin", "cost_examples", "evaluate", "label", "load_expert",
    "load_policy", "load_run", "rollout", "run", "scalars", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dagger_cli' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from dagger_cli.api.policies import LoadedPolicy, load_expert, load_policy
    from dagger_cli.api.runs import Run, load_run, train
    from dagger_cli.core.budget import Budget
    from dagger_cli.core.dataset import Dataset, aggregate
    from dagger_cli.core.errors import CheckpointError, ConfigError, DaggerError, ExpertError
    from dagger_cli.core.kit import Kit, Learner, RngStreams
    from dagger_cli.core.policies import (
        Ensemble,
        EpisodeMixture,
        GatedPolicy,
        Mixture,
        NonStationaryPolicy,
    )
    from dagger_cli.core.schedules import Progress, Schedule
    from dagger_cli.core.state import State
    from dagger_cli.core.types import (
        Acts,
        Card,
        Env,
        Expert,
        Fitted,
        Observation,
        Policy,
        Score,
        Space,
        Step,
        Trajectories,
        Usage,
    )
    from dagger_cli.loggers.interface import Logger, RunInfo, RunResult
    from dagger_cli.loop.cost_to_go import CostRollouts, Follow, cost_examples
    from dagger_cli.loop.evaluate import evaluate
    from dagger_cli.loop.rollout import begin, label, rollout
    from dagger_cli.loop.run import Round, run
    from dagger_cli.loop.trainer import Trainer
    from dagger_cli.tracking.metrics import scalars
