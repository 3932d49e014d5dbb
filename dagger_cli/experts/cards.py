"""The card of an expert, written to and read from the JSON beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagger_cli.core.types import Card
from dagger_cli.networks.agent_files import Agent, save_agent


def save_expert(agent: Agent, card: Card, stem: Path) -> tuple[Path, Path]:
    """Writes an agent and its card's entries as `<stem>.safetensors` and `<stem>.json`."""
    facts: dict[str, Any] = {"name": card.name, "source": card.source, **card.details}
    facts.setdefault("sha256", card.sha256)
    if card.published is not None:
        facts["score"] = dict(zip(("mean", "std"), card.published, strict=True))
    return save_agent(agent._replace(facts=facts), stem)


def published(facts: Mapping[str, Any]) -> tuple[float, float] | None:
    """Returns (mean, standard deviation) of the return in the agent's card, None without one."""
    score = facts.get("score")
    try:
        return float(score["mean"]), float(score["std"])  # type: ignore[index]
    except (KeyError, TypeError, ValueError, OverflowError):  # not a number
        return None
