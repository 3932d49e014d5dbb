"""`expert=path`: an agent on this machine, of stable-baselines3, rl_zoo3 or this program.

Also a trained policy: a run, one of its checkpoints, or a downloaded repository of `dagger push`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Card, Expert, Space
from dagger_cli.experts.cards import published
from dagger_cli.experts.network_expert import expert_from
from dagger_cli.experts.sb3.agent_folder import Found, find_agent
from dagger_cli.experts.sb3.archive import sha256_of
from dagger_cli.experts.sb3.convert import AgentFiles, agent_from
from dagger_cli.experts.student import Student, load_student
from dagger_cli.experts.zoo_scores import zoo_score
from dagger_cli.networks.agent_files import load_agent
from dagger_cli.utils.system import at_home

MASKABLE = "sb3_contrib.common.maskable"  # module of the policies


@dataclass(frozen=True)
class Path:
    """Source of an expert; `path` is a .zip, a .safetensors, a folder with one, or a run.

    `algo` selects one of several agents. `trust` lists the packages besides this one whose classes
    a run's config may create.
    """

    path: str
    algo: str | None
    deterministic: bool
    trust: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.path:
            raise ConfigError("expert.path is empty; give a .zip, a .safetensors file or a folder")

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        found = find_agent(at_home(self.path), env_id, self.algo)

        def card(facts: Mapping[str, Any]) -> Card:
            return Card(
                name=_name(found, facts, env_id),
                source=str(_shown(found)),
                sha256=str(facts["sha256"]),
                published=published(facts) or _of_the_zoo(found),
                notes=(*version_notes(facts, env_id), *training_notes(facts)),
                details=facts,
            )

        spaces = observation_space, action_space
        return expert_of(found, card, self.deterministic, *spaces, self.trust)


def expert_of(
    found: Found,
    card: Callable[[Mapping[str, Any]], Card],
    deterministic: bool,
    observation_space: Space,
    action_space: Space,
    trust: tuple[str, ...],
) -> Expert:
    """Loads the agent as an expert; `card` creates its card from the facts, with `sha256`."""
    spaces = observation_space, action_space
    if isinstance(found, Student):
        return load_student(found, card, *spaces, trust)
    if isinstance(found, AgentFiles):
        agent = agent_from(found, *spaces)
    else:
        agent = load_agent(found)
        digest = sha256_of(found.with_name(found.name + ".safetensors"))
        agent = agent._replace(facts={**agent.facts, "sha256": digest})
    return expert_from(agent, card(agent.facts), deterministic, *spaces)


def _shown(found: Found) -> FilePath:
    return found if isinstance(found, FilePath) else found.archive


def _name(found: Found, facts: Mapping[str, Any], env_id: str) -> str:
    """Returns a name such as `best_model.zip for CartPole-v1` or `dagger student (round 3) ...`."""
    if isinstance(found, Student):
        return f"{facts['trainer']} student (round {facts['round']}) for {env_id}"
    ours = isinstance(found, FilePath) and "name" in facts
    return str(facts["name"]) if ours else f"{_shown(found).name} for {env_id}"


def _of_the_zoo(found: Found) -> tuple[float, float] | None:
    """Returns the published score of a copy of a Hub repository: folder and archive of one name."""
    archive = found.archive if isinstance(found, AgentFiles) else None
    same = archive is not None and archive.parent.name == archive.stem
    return zoo_score(archive.stem) if archive is not None and same else None


def version_notes(facts: Mapping[str, Any], env_id: str) -> tuple[str, ...]:
    """Returns a note where the agent was trained in another environment."""
    trained_in = facts.get("trained_in")
    if trained_in is None or trained_in == env_id:
        return ()
    return (f"The expert was trained in {trained_in} and is used in {env_id}.",)


def training_notes(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns notes on wrappers and kwargs of the environment that the agent was trained in."""
    notes = {
        "trained_behind": (
            "The expert was trained with wrappers {}: set the same, in env.wrappers or env.import."
        ),
        "trained_with": "The expert was trained with env.kwargs {}: set the same.",
        "unused_statistics": (
            "{} beside the expert looks like VecNormalize statistics and is not used: if the "
            "expert was trained with them, name it vecnormalize.pkl."
        ),
    }
    found = [line.format(facts[key]) for key, line in notes.items() if key in facts]
    if str(facts.get("policy", "")).startswith(MASKABLE):
        found.append(
            "The expert was trained with action masks (MaskablePPO), which are not applied: it may "
            "choose actions that the masks excluded."
        )
    return tuple(found)
