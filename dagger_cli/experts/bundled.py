"""`expert=bundled`: agents included in the package, trained by scripts/train_expert.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Card, Expert, Space
from dagger_cli.experts.cards import published
from dagger_cli.experts.network_expert import expert_from
from dagger_cli.experts.sb3.archive import sha256_of
from dagger_cli.networks.agent_files import load_agent, load_card

AGENTS = Path(__file__).parent / "agents"


@dataclass(frozen=True)
class Bundled:
    """`deterministic`: act with the mode of the distribution instead of a sample."""

    deterministic: bool

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        return load_bundled(
            env_id, observation_space, action_space, deterministic=self.deterministic
        )


def bundled_ids() -> tuple[str, ...]:
    """Returns the environments with a bundled agent."""
    return tuple(sorted(path.stem for path in AGENTS.glob("*.json")))


def bundled_algo(env_id: str) -> str:
    """Returns the algorithm of the bundled agent."""
    return str(load_card(AGENTS / f"{env_id}.json")["algo"])


def load_bundled(
    env_id: str,
    observation_space: Space,
    action_space: Space,
    *,
    deterministic: bool,
    notes: tuple[str, ...] = (),
) -> Expert:
    """Loads a bundled agent; raises ExpertError where there is none for the environment."""
    if env_id not in bundled_ids():
        raise ExpertError(
            f"no agent is bundled for '{env_id}' (there is one for: {', '.join(bundled_ids())}); "
            "use expert=hub, expert=path or expert=python"
        )
    agent = load_agent(AGENTS / env_id)
    facts = agent.facts
    card = Card(
        name=f"bundled {facts['algo']} agent for {env_id}",
        source=f"bundled:{env_id}",
        sha256=sha256_of(AGENTS / f"{env_id}.safetensors"),
        published=published(facts),
        notes=notes,
        details=facts,
    )
    return expert_from(agent, card, deterministic, observation_space, action_space)
