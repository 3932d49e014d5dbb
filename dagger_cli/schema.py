"""The type of every value a user can set; the values themselves are in `conf/`.

Each option of a group names its schema first in its defaults list, so Hydra refuses a wrong type
and an unknown key by the key's name before anything is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from dagger_cli.options import config_dir


@dataclass
class Validation:
    episodes: int = MISSING
    tolerance: float = MISSING


@dataclass
class Evaluation:
    checkpoint: str = MISSING
    episodes: int = MISSING
    seed: int = MISSING


@dataclass
class Train:
    seed: int = MISSING
    rounds: int = MISSING
    steps_per_round: int | None = MISSING
    labels: int | None = MISSING
    n_envs: int = MISSING
    validation: Validation = field(default_factory=Validation)
    evaluation: Evaluation = field(default_factory=Evaluation)
    resume: str | None = MISSING
    env: Any = MISSING
    expert: Any = MISSING
    policy: Any = MISSING
    beta_schedule: Any = MISSING
    trainer: Any = MISSING


@dataclass
class Eval:
    checkpoint: str = MISSING
    episodes: int | None = MISSING
    seed: int | None = MISSING
    render: str | None = MISSING
    video: str | None = MISSING
    json: str | None = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class EnvBudget:
    rounds: int = MISSING
    steps_per_round: int = MISSING
    gradient_steps: int = MISSING
    n_envs: int = MISSING


@dataclass
class EnvEvaluation:
    episodes: int = MISSING
    validation_episodes: int = MISSING


@dataclass
class Gym:
    _target_: str = MISSING
    name: str = MISSING
    id: str = MISSING
    imports: Any = MISSING  # a module's name, a list of them, or null
    kwargs: dict[str, Any] = field(default_factory=dict)
    max_episode_steps: int | None = MISSING
    fresh_simulator: bool = MISSING
    workers: Any = MISSING  # auto or a whole number
    failure: str = MISSING
    failure_name: str = MISSING
    hub_algo: str = MISSING
    budget: EnvBudget = field(default_factory=EnvBudget)
    evaluation: EnvEvaluation = field(default_factory=EnvEvaluation)


@dataclass
class Hub:
    _target_: str = MISSING
    algo: str = MISSING
    repo_id: str | None = MISSING
    filename: str | None = MISSING
    revision: str | None = MISSING
    sha256: str | None = MISSING
    fallback: str = MISSING
    deterministic: bool = MISSING


@dataclass
class Path:
    _target_: str = MISSING
    path: str = MISSING
    algo: str | None = MISSING
    deterministic: bool = MISSING


@dataclass
class Bundled:
    _target_: str = MISSING
    deterministic: bool = MISSING


@dataclass
class Heuristic:
    _target_: str = MISSING


@dataclass
class Python:
    _target_: str = MISSING
    target: str = MISSING
    batched: bool = MISSING


@dataclass
class Fit:
    _target_: str = MISSING
    name: str = MISSING
    loss: str = MISSING
    optimiser: str = MISSING
    learning_rate: float = MISSING
    weight_decay: float = MISSING
    batch_size: int = MISSING
    gradient_steps: int | None = MISSING
    epochs: int | None = MISSING
    warm_start: bool = MISSING
    decay: bool = MISSING
    threads: int | None = MISSING


@dataclass
class Mlp(Fit):
    sizes: list[int] = MISSING
    activation: str = MISSING
    normalise: bool = MISSING


@dataclass
class Cnn(Fit):
    pass


@dataclass
class Indicator:
    _target_: str = MISSING
    by: str = MISSING


@dataclass
class Linear:
    _target_: str = MISSING
    start: float = MISSING
    end: float = MISSING
    over: float = MISSING
    by: str = MISSING


@dataclass
class Exponential:
    _target_: str = MISSING
    p: float = MISSING
    by: str = MISSING


@dataclass
class Constant:
    _target_: str = MISSING
    value: float = MISSING


@dataclass
class Inverse:
    _target_: str = MISSING
    scale: float = MISSING
    by: str = MISSING


@dataclass
class Table:
    _target_: str = MISSING
    values: list[float] = MISSING
    by: str = MISSING


@dataclass
class DAgger:
    _target_: str = MISSING
    name: str = MISSING
    beta: Any = MISSING


@dataclass
class Sup:
    _target_: str = MISSING
    name: str = MISSING


OPTIONS: dict[str, tuple[type, ...]] = {
    "env": (Gym,),
    "expert": (Hub, Path, Bundled, Heuristic, Python),
    "policy": (Mlp, Cnn),
    "beta_schedule": (Indicator, Linear, Exponential, Constant, Inverse, Table),
    "trainer": (DAgger, Sup),
}


def register() -> None:
    """Make the schemas known to Hydra, as `/schema/<group>/<lower-case class name>`."""
    store = ConfigStore.instance()
    store.store(group="schema", name="train", node=Train, package="_global_")
    store.store(group="schema", name="eval", node=Eval, package="_global_")
    for group, schemas in OPTIONS.items():
        for schema in schemas:
            store.store(group=f"schema/{group}", name=schema.__name__.lower(), node=schema)


def shipped_targets() -> frozenset[str]:
    """Every `_target_` of our own YAML files: all that a checkpoint's config may have built."""
    texts = (path.read_text(encoding="utf-8") for path in config_dir().rglob("*.yaml"))
    return frozenset(t for text in texts for t in re.findall(r"^_target_: (\S+)$", text, re.M))
