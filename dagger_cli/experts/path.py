"""`expert=path`: an agent on this machine, of stable-baselines3, rl-zoo or this program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Card, Expert, Space
from dagger_cli.experts.archive import sha256_of
from dagger_cli.experts.convert import AgentFiles, agent_from
from dagger_cli.experts.expert import expert_from, published
from dagger_cli.experts.layout import find_agent
from dagger_cli.experts.storage import Agent, load_agent


@dataclass(frozen=True)
class Path:
    """`path`: a .zip, a .safetensors, or a folder with one; `algo` tells two of them apart."""

    path: str
    algo: str | None
    deterministic: bool

    def __post_init__(self) -> None:
        if not self.path:
            raise ConfigError("expert.path is empty; give a .zip, a .safetensors file or a folder")

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        found = find_agent(FilePath(self.path).expanduser(), env_id, self.algo)
        agent, sha256 = read_agent(found, observation_space, action_space)
        notes = version_notes(agent, env_id)
        shown = found.archive if isinstance(found, AgentFiles) else found
        card = Card(
            name=f"{shown.name} for {env_id}",
            source=str(shown),
            sha256=sha256,
            published=published(agent.facts),
            notes=notes,
            details=agent.facts,
        )
        return expert_from(agent, card, self.deterministic, observation_space, action_space)


def read_agent(
    found: AgentFiles | FilePath, observation_space: Space, action_space: Space
) -> tuple[Agent, str]:
    """The agent and the digest of the file that its weights came from."""
    if isinstance(found, AgentFiles):
        agent = agent_from(found, observation_space, action_space)
        return agent, str(agent.facts["sha256"])
    agent = load_agent(found)
    return agent, sha256_of(found.with_name(found.name + ".safetensors"))


def version_notes(agent: Agent, env_id: str) -> tuple[str, ...]:
    """A line where the agent says that it was trained in another environment."""
    trained_in = agent.facts.get("trained_in")
    if trained_in is None or trained_in == env_id:
        return ()
    return (f"The expert was trained in {trained_in} and is played in {env_id}.",)
