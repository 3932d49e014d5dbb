"""`expert=train`: an agent trained here once with rl_zoo3's tuned hyper-parameters, then cached."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Card, Expert, Space
from dagger_cli.core.values import at_least
from dagger_cli.experts.cards import published
from dagger_cli.experts.network_expert import expert_from
from dagger_cli.experts.sb3.archive import sha256_of
from dagger_cli.experts.sb3.convert import agent_from
from dagger_cli.experts.sb3.zoo_training import Plan, best_of, train, tuned_steps
from dagger_cli.networks.agent_files import Agent, load_agent, save_agent
from dagger_cli.utils.system import cache_folder


@dataclass(frozen=True)
class Train:
    """`steps`: None for the number in rl_zoo3's hyper-parameters."""

    algo: str
    seed: int
    steps: int | None
    deterministic: bool

    def __post_init__(self) -> None:
        at_least("expert.seed", self.seed, 0)
        if self.steps is not None:
            at_least("expert.steps", self.steps, 1)

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        plan = self._plan(env_id)
        stem = trained_stem(plan, whole=self.steps is None)
        if not stem.with_name(stem.name + ".safetensors").exists():
            _train(plan, stem, observation_space, action_space)
        agent = load_agent(stem)
        card = Card(
            name=f"{self.algo} agent for {env_id} trained here (seed {self.seed})",
            source=str(stem),
            sha256=sha256_of(stem.with_name(stem.name + ".safetensors")),
            published=published(agent.facts),
            details=agent.facts,
        )
        return expert_from(agent, card, self.deterministic, observation_space, action_space)

    def _plan(self, env_id: str) -> Plan:
        steps = tuned_steps(self.algo, env_id)
        return Plan(env_id, self.algo, self.seed, self.steps or steps)


def trained_stem(plan: Plan, *, whole: bool) -> Path:
    """Returns `<cache>/experts/<env id>/<algo>_seed<n>`, with the steps if not the tuned ones."""
    steps = "" if whole else f"_steps{plan.steps}"
    folder = cache_folder() / "experts" / re.sub(r"[^\w.-]", "-", plan.env_id)
    return folder / f"{plan.algo}_seed{plan.seed}{steps}"


def trained_agents(env_id: str) -> Iterator[tuple[str, int, Path]]:
    """Yields (algorithm, seed, stem) of every agent trained here with the tuned steps."""
    folder = cache_folder() / "experts" / re.sub(r"[^\w.-]", "-", env_id)
    for path in sorted(folder.glob("*.safetensors")):
        if match := re.fullmatch(r"(\w+?)_seed(\d+)", path.stem):
            yield match[1], int(match[2]), path.with_suffix("")


def _train(plan: Plan, stem: Path, observation_space: Space, action_space: Space) -> None:
    """Trains or resumes the training, then keeps the best model only."""
    logs = stem.with_name(stem.name + ".training")
    verb = "resuming" if logs.exists() else "training"
    print(
        f"{verb} {plan.algo} for {plan.env_id}: {plan.steps:,} steps with rl_zoo3's tuned "
        f"hyper-parameters, in {logs} (stop with Ctrl-C, resume with the same command)",
        file=sys.stderr,
    )
    try:
        train(plan, logs, progress=sys.stderr.isatty())
    except OSError as err:
        raise ExpertError(f"cannot train in '{logs}' ({err.strerror}); set DAGGER_CACHE") from err
    chosen = best_of(plan, logs)
    agent = agent_from(chosen.files, observation_space, action_space)
    facts = {
        "algo": plan.algo,
        "env_id": plan.env_id,
        "seed": plan.seed,
        "steps": plan.steps,
        "model": chosen.name,
        "archive_sha256": agent.facts["sha256"],
    }
    if chosen.score is not None:
        facts["score"] = dict(zip(("mean", "std"), chosen.score, strict=True))
    save_agent(Agent(agent.spec, agent.weights, facts), stem)
    shutil.rmtree(logs, ignore_errors=True)
