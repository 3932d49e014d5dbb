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

from dagger_cli.config.options import config_dir


@dataclass
class Validation:
    episodes: int | None = MISSING
    tolerance: float = MISSING
    queries: int = MISSING


@dataclass
class Evaluation:
    checkpoint: str = MISSING
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
    regret: bool = MISSING
    aggregate: Aggregate = field(default_factory=Aggregate)
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
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertScore:
    episodes: int | None = MISSING
    seed: int | None = MISSING
    json: str | None = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertFetch:
    out: str | None = MISSING
    env: Any = MISSING
    expert: Any = MISSING


@dataclass
class ExpertConvert:
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


@dataclass
class EnvNames:
    id: str | None = MISSING
    imports: Any = MISSING


@dataclass
class Export:
    checkpoint: str = MISSING
    format: str = MISSING
    path: str = MISSING
    env: EnvNames = field(default_factory=EnvNames)


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


# Nodes whose keys Hydra does not hold to a schema when they are added with a plus.
NODES: dict[str, type] = {
    "validation": Validation,
    "evaluation": Evaluation,
    "aggregate": Aggregate,
    "env.budget": EnvBudget,
    "env.evaluation": EnvEvaluation,
}


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
    backend: str = MISSING
    failure: str = MISSING
    failure_name: str = MISSING
    hub_algo: str = MISSING
    budget: EnvBudget = field(default_factory=EnvBudget)
    evaluation: EnvEvaluation = field(default_factory=EnvEvaluation)


@dataclass
class Sequence:
    _target_: str = MISSING
    name: str = MISSING
    id: str = MISSING
    per_step_name: str = MISSING
    data: str | None = MISSING
    fold: int = MISSING
    held_out: int = MISSING
    validate_on_test: bool = MISSING
    history: int = MISSING
    before: int = MISSING
    after: int = MISSING
    budget: EnvBudget = field(default_factory=EnvBudget)
    evaluation: EnvEvaluation = field(default_factory=EnvEvaluation)


@dataclass
class Handwriting(Sequence):
    pass


@dataclass
class Mario:
    _target_: str = MISSING
    name: str = MISSING
    id: str = MISSING
    best: str = MISSING
    start_mode: str = MISSING
    difficulty: int = MISSING
    stage_type: str = MISSING
    length: int = MISSING
    time_limit: int = MISSING
    ticks_per_action: int = MISSING
    observation: str = MISSING
    seen_by: dict[str, str] = field(default_factory=dict)
    failure: str = MISSING
    failure_name: str = MISSING
    workers: Any = MISSING  # auto or a whole number
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
class Zoo:
    _target_: str = MISSING
    folder: str = MISSING
    algo: str = MISSING
    run: int | None = MISSING
    deterministic: bool = MISSING


@dataclass
class Trained:
    _target_: str = MISSING
    algo: str = MISSING
    seed: int = MISSING
    steps: int | None = MISSING
    deterministic: bool = MISSING


@dataclass
class Bundled:
    _target_: str = MISSING
    deterministic: bool = MISSING


@dataclass
class Heuristic:
    _target_: str = MISSING


@dataclass
class Oracle:
    _target_: str = MISSING


@dataclass
class MarioPlanner:
    _target_: str = MISSING
    ticks_per_action: int = MISSING
    nodes: int = MISSING
    horizon: float = MISSING
    greed: float = MISSING
    damage: float = MISSING
    caution: float = MISSING


@dataclass
class Python:
    _target_: str = MISSING
    target: str = MISSING
    batched: bool = MISSING


@dataclass
class Fit:
    _target_: str = MISSING
    name: str = MISSING
    optimizer: str = MISSING
    learning_rate: float = MISSING
    weight_decay: float = MISSING
    batch_size: int = MISSING
    gradient_steps: int | None = MISSING
    epochs: int | None = MISSING
    warm_start: bool = MISSING
    decay: bool = MISSING
    final_fit: int = MISSING
    threads: int | None = MISSING


@dataclass
class Mlp(Fit):
    loss: str = MISSING
    sizes: list[int] = MISSING
    activation: str = MISSING
    normalize: bool = MISSING
    device: str = MISSING


@dataclass
class Cnn(Fit):
    loss: str = MISSING
    device: str = MISSING


@dataclass
class Glyphs(Fit):
    loss: str = MISSING
    image: list[int] = MISSING
    history: int = MISSING
    encoder: str = MISSING
    code: int = MISSING
    sizes: list[int] = MISSING
    dropout: float = MISSING
    shift: int = MISSING


@dataclass
class Scene(Fit):
    layout: dict[str, int] = MISSING
    code: int = MISSING
    sizes: list[int] = MISSING
    unsafe_penalty: float = MISSING
    precision: str = MISSING


@dataclass
class Svm:
    _target_: str = MISSING
    name: str = MISSING
    reduction: str = MISSING
    decode: str = MISSING
    regularization: float = MISSING
    learning_rate: float = MISSING
    row_visits: int = MISSING


@dataclass
class SparseSvm:
    _target_: str = MISSING
    name: str = MISSING
    regularization: float = MISSING
    passes: int = MISSING


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
    mix_per: str = MISSING
    update: str = MISSING


@dataclass
class Sup:
    _target_: str = MISSING
    name: str = MISSING


@dataclass
class SMILe:
    _target_: str = MISSING
    name: str = MISSING
    alpha: float = MISSING


@dataclass
class CostRollouts:
    _target_: str = MISSING
    horizon: int = MISSING
    repeats: int = MISSING
    candidates: int = MISSING


@dataclass
class SEARN:
    _target_: str = MISSING
    name: str = MISSING
    beta: float = MISSING
    costs: str = MISSING
    cost_rollouts: CostRollouts = field(default_factory=CostRollouts)


@dataclass
class Forward:
    _target_: str = MISSING
    name: str = MISSING
    slot: int | None = MISSING
    horizon: int | None = MISSING


@dataclass
class AggreVaTe:
    _target_: str = MISSING
    name: str = MISSING
    beta: Any = MISSING
    cost_rollouts: CostRollouts = field(default_factory=CostRollouts)


@dataclass
class LOLS:
    _target_: str = MISSING
    name: str = MISSING
    mix: float = MISSING
    cost_rollouts: CostRollouts = field(default_factory=CostRollouts)


@dataclass
class DART:
    _target_: str = MISSING
    name: str = MISSING
    scale: float = MISSING


@dataclass
class SafeDAgger:
    _target_: str = MISSING
    name: str = MISSING
    threshold: float = MISSING


@dataclass
class EnsembleDAgger:
    _target_: str = MISSING
    name: str = MISSING
    size: int = MISSING
    threshold: float = MISSING


@dataclass
class HGDAgger:
    _target_: str = MISSING
    name: str = MISSING
    enter: float = MISSING
    leave: float = MISSING


OPTIONS: dict[str, tuple[type, ...]] = {
    "env": (Gym, Sequence, Handwriting, Mario),
    "expert": (Hub, Path, Zoo, Trained, Bundled, Heuristic, Oracle, MarioPlanner, Python),
    "policy": (Mlp, Cnn, Glyphs, Scene, Svm, SparseSvm),
    "beta_schedule": (Indicator, Linear, Exponential, Constant, Inverse, Table),
    "trainer": (
        DAgger,
        Sup,
        SMILe,
        SEARN,
        Forward,
        AggreVaTe,
        LOLS,
        DART,
        SafeDAgger,
        EnsembleDAgger,
        HGDAgger,
    ),
}


def register() -> None:
    """Make the schemas known to Hydra, as `/schema/<group>/<lower-case class name>`."""
    store = ConfigStore.instance()
    for name, root in ROOTS.items():
        store.store(group="schema", name=name, node=root, package="_global_")
    for group, schemas in OPTIONS.items():
        for schema in schemas:
            store.store(group=f"schema/{group}", name=schema.__name__.lower(), node=schema)


def shipped_targets() -> frozenset[str]:
    """Every `_target_` of our own YAML files: all that a checkpoint's config may have built."""
    texts = (path.read_text(encoding="utf-8") for path in config_dir().rglob("*.yaml"))
    return frozenset(t for text in texts for t in re.findall(r"^ *_target_: (\S+)$", text, re.M))
