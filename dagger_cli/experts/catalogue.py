"""Agents available for an environment: bundled, trained here, in the cache, on the Hub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dagger_cli.core.errors import ExpertError, HubUnreachable
from dagger_cli.experts.bundled import AGENTS, bundled_ids
from dagger_cli.experts.cards import published
from dagger_cli.experts.hub import AUTHOR, results_in
from dagger_cli.experts.hub_client import Model, models_for
from dagger_cli.experts.sb3.agent_folder import older_versions
from dagger_cli.experts.train import trained_agents
from dagger_cli.experts.zoo_scores import zoo_agents, zoo_score
from dagger_cli.networks.agent_files import load_card

READABLE = {"stable-baselines3", "dagger-cli"}  # the libraries whose repositories can be loaded
_SCORE = re.compile(r"\s*(-?[\d.]+)\s*(?:\+/-|±)\s*([\d.]+)\s*")


class Known(NamedTuple):
    """An agent, its location, the options that select it, and its published score."""

    name: str
    where: str
    words: str
    score: tuple[float, float] | None  # (mean, standard deviation)


class Catalogue(NamedTuple):
    """Available agents; `notes` say what could not be searched."""

    agents: tuple[Known, ...]
    notes: tuple[str, ...]


def catalogue(env_id: str) -> Catalogue:
    """Returns all available agents; a Hub that cannot be reached is a note, not an error."""
    agents, notes = [*_bundled(env_id), *_heuristic(env_id), *_trained(env_id)], []
    cached = dict(_cached(env_id))
    agents += cached.values()
    try:
        found = models_for(re.sub(r"-v\d+$", "", env_id.rpartition("/")[2]))
        agents += [k for k in map(_of_model, filter(_readable, found)) if _fresh(k, cached, env_id)]
    except HubUnreachable as err:
        agents += [k for k in _of_the_zoo(env_id) if k.name not in cached]
        notes.append(
            f"{err}; listed are agents on this machine, and those of rl-baselines3-zoo's table."
        )
    except ExpertError as err:
        notes.append(f"The Hub could not be searched: {err}.")
    return Catalogue(tuple(agents), tuple(notes))


def _bundled(env_id: str) -> Iterator[Known]:
    if env_id in bundled_ids():
        facts = load_card(AGENTS / f"{env_id}.json")
        yield Known(f"{facts['algo']}-{env_id}", "bundled", "expert=bundled", published(facts))


def _heuristic(env_id: str) -> Iterator[Known]:
    if env_id.startswith("LunarLander"):
        yield Known("Gymnasium's heuristic", "bundled", "expert=heuristic", None)


def _trained(env_id: str) -> Iterator[Known]:
    for algo, seed, stem in trained_agents(env_id):
        words = f"expert=train expert.algo={algo} expert.seed={seed}"
        facts = load_card(stem.with_name(stem.name + ".json"))
        yield Known(f"{algo}-{env_id} (seed {seed})", "trained here", words, published(facts))


def _cached(env_id: str) -> Iterator[tuple[str, Known]]:
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    for folder in sorted(cache.glob("models--*--*")):
        _, author, name = folder.name.split("--", 2)
        repo_id = f"{author}/{name.replace('--', '/')}"
        snapshots = [s for s in folder.glob("snapshots/*") if any(s.iterdir())]
        if snapshots and _is_for(name, env_id):
            newest = max(snapshots, key=lambda path: path.stat().st_mtime)
            score = results_in(newest / "results.json") or _published(repo_id)
            yield repo_id, Known(repo_id, "cached", _words(repo_id), score)


def _of_the_zoo(env_id: str) -> Iterator[Known]:
    for name in zoo_agents(env_id):
        repo_id = f"{AUTHOR}/{name}"
        yield Known(repo_id, "on the Hub", _words(repo_id), zoo_score(name))


def _published(repo_id: str) -> tuple[float, float] | None:
    author, _, name = repo_id.partition("/")
    return zoo_score(name) if author == AUTHOR else None


def _is_for(name: str, env_id: str) -> bool:
    """Returns whether a repository is named after the environment or an older version of it."""
    versions = [version.rpartition("/")[2] for version in older_versions(env_id)]
    return any(re.search(rf"(^|[-_]){re.escape(version)}($|[-_])", name) for version in versions)


def _fresh(known: Known, cached: Mapping[str, Known], env_id: str) -> bool:
    return known.name not in cached and _is_for(known.name.partition("/")[2], env_id)


def _words(repo_id: str) -> str:
    author, _, name = repo_id.partition("/")
    if author == AUTHOR:
        return f"expert=hub expert.algo={name.partition('-')[0]}"
    return f"expert=hub expert.repo_id={repo_id}"


def _readable(model: Model) -> bool:
    return model.repo_id.startswith(f"{AUTHOR}/") or bool(READABLE & set(model.tags))


def _of_model(model: Model) -> Known:
    score = _score_of(model.score) or _published(model.repo_id)
    return Known(model.repo_id, "on the Hub", _words(model.repo_id), score)


def _score_of(value: Any) -> tuple[float, float] | None:
    """Parses a score from a model card: `301.4 +/- 0.8`."""
    match = _SCORE.fullmatch(str(value))
    return None if match is None else (float(match[1]), float(match[2]))
