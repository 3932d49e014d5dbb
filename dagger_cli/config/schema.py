"""Types of the keys that belong to no group; the values themselves are in `conf/`.

Hydra checks them while it composes. Types of a group's keys are those of the class it builds,
see typed.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from dagger_cli.config.options import config_dir


@dataclass
class Validation:
    episodes: int | None = MISSING
    tolerance: float = MISSING
    queries: int = MISSING


@dataclass
class Evaluation:
    checkpoint: str = MISSING
    expert: bool = MISSING
    fresh: bool = MISSING
    episodes: int | None = MISSING
    seed: int = MISSING


@dataclass
class Aggregate:
    storage: str = MISSING


@dataclass
class Train:
    seed: int = MISSING
    rounds: int = MISSING
    steps_per_round: int | None = MISSING
    labels: int | None = MISSING
    n_envs: int = MISSING
    validation: Validation = field(default_factory=Validation)
    evaluation: Evaluation = field(default_factory=Evaluation)
    best: str = MISSING
    objective: str = MISSING
    regret: bool = MISSING
    gif: bool = MISSING
    aggregate: Aggregate = field(default_factory=Aggregate)
    resume: str | None = MISSING
    retry: bool = MISSING
    trust: Any = MISSING  # packages
    env: Any = MISSING
    view: Any = MISSING
    expert: Any = MISSING
    policy: Any = MISSING
    beta_schedule: Any = MISSING
    trainer: Any = MISSING
    labeller: Any = MISSING
    logger: Any = MISSING


@dataclass
class Eval:
    trust: Any = MISSING
    checkpoint: str = MISSING
    episodes: int | None = MISSING
    seed: int | None = MISSING
    decode: str = MISSING
    width: int = MISSING
    render: str | None = MISSING
    video: str | None = MISSING
    json: str | None = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertList:
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertShow:
    trust: Any = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertScore:
    trust: Any = MISSING
    episodes: int | None = MISSING
    seed: int | None = MISSING
    json: str | None = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertFetch:
    trust: Any = MISSING
    out: str | None = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertConvert:
    trust: Any = MISSING
    out: str = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class Push:
    checkpoint: str = MISSING
    repo_id: str = MISSING
    private: bool = MISSING
    video: str | None = MISSING
    message: str | None = MISSING
    trust: Any = MISSING


@dataclass
class Export:
    checkpoint: str = MISSING
    format: str = MISSING
    path: str = MISSING
    critic: bool = MISSING
    trust: Any = MISSING


ROOTS: dict[str, type] = {
    "train": Train,
    "eval": Eval,
    "expert_fetch": ExpertFetch,
    "expert_show": ExpertShow,
    "expert_list": ExpertList,
    "expert_score": ExpertScore,
    "expert_convert": ExpertConvert,
    "push": Push,
    "export": Export,
}


@dataclass
class EnvBudget:
    rounds: int = MISSING
    steps_per_round: int = MISSING
    gradient_steps: int = MISSING
    n_envs: int = MISSING
    sizes: list[int] = MISSING  # of the layers of policy=mlp


@dataclass
class EnvEvaluation:
    episodes: int | None = MISSING
    validation_episodes: int | None = MISSING


@dataclass
class EnvNotes:
    """Keys that an environment's config may have besides those of its source."""

    name: str = MISSING
    version: int = MISSING  # in the id
    id: str = MISSING  # of the source, where that takes none
    return_name: str = MISSING
    failure_name: str = MISSING
    per_step_name: str = MISSING
    hub_algo: str = MISSING
    best: str = MISSING
    budget: EnvBudget = field(default_factory=EnvBudget)
    evaluation: EnvEvaluation = field(default_factory=EnvEvaluation)
    wrappers: list[Any] = field(default_factory=list)
    seen_by: dict[str, str] = field(default_factory=dict)


# Nodes whose keys Hydra does not hold to a schema when they are added with a plus.
NODES: dict[str, type] = {
    "validation": Validation,
    "evaluation": Evaluation,
    "aggregate": Aggregate,
    "env.budget": EnvBudget,
    "env.evaluation": EnvEvaluation,
}


@cache
def register() -> None:
    """Makes the root schemas known to Hydra, as `schema/<command>`."""
    store = ConfigStore.instance()
    for name, root in ROOTS.items():
        store.store(group="schema", name=name, node=root, package="_global_")


@cache
def shipped_targets() -> frozenset[str]:
    """Returns every `_target_` of this package's YAML files."""
    texts = (path.read_text(encoding="utf-8") for path in config_dir().rglob("*.yaml"))
    found = (re.findall(r"^ *_target_: (dagger_cli\.[\w.]+)$", text, re.M) for text in texts)
    return frozenset(target for targets in found for target in targets)
