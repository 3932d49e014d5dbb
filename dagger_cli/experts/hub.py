"""`expert=hub`: an agent on the Hugging Face Hub, by default rl_zoo3's `sb3/<algo>-<env id>`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from dagger_cli.core.errors import ConfigError, ExpertError, HubUnreachable
from dagger_cli.core.types import Card, Expert, Space
from dagger_cli.core.values import one_of
from dagger_cli.experts.bundled import bundled_algo, bundled_ids, load_bundled
from dagger_cli.experts.cards import published
from dagger_cli.experts.hub_client import Repo, agents_for, commit_of
from dagger_cli.experts.hub_requests import NotThere
from dagger_cli.experts.path import expert_of, training_notes, version_notes
from dagger_cli.experts.sb3.agent_folder import STATISTICS, Found, older_versions, pick_agent
from dagger_cli.experts.sb3.archive import sha256_of
from dagger_cli.experts.sb3.convert import AgentFiles
from dagger_cli.experts.student import MANIFEST, POLICY, Student
from dagger_cli.experts.zoo_scores import zoo_score
from dagger_cli.networks.agent_files import MAX_CARD_BYTES, read_bounded

AUTHOR = "sb3"
# In rl-baselines3-zoo's repositories; others would be found missing only after the network.
ALGOS = (
    "a2c",
    "ars",
    "crossq",
    "ddpg",
    "dqn",
    "ppo",
    "ppo_lstm",
    "qrdqn",
    "sac",
    "td3",
    "tqc",
    "trpo",
)
RESULTS = "results.json"
PINS = ("repo_id", "filename", "revision", "sha256")  # with one of them set there is no fallback


@dataclass(frozen=True)
class Hub:
    """Source of an expert on the Hub; `fallback` applies only if the Hub cannot be reached."""

    algo: str | None
    repo_id: str | None
    filename: str | None
    revision: str | None
    sha256: str | None
    fallback: Literal["bundled", "none"]
    deterministic: bool
    trust: tuple[str, ...] = ()  # packages whose classes a config may create

    def __post_init__(self) -> None:
        if self.fallback not in ("bundled", "none"):
            raise ConfigError(f"expert.fallback must be bundled or none, got '{self.fallback}'")
        if self.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", self.sha256.lower()):
            raise ConfigError(f"expert.sha256 must be 64 hexadecimal digits, got '{self.sha256}'")
        if self.repo_id is not None and self.repo_id.count("/") != 1:
            raise ConfigError(f"expert.repo_id must look like user/name, got '{self.repo_id}'")
        if self.repo_id is None and not re.fullmatch(r"[A-Za-z0-9_]+", self.algo or ""):
            raise ConfigError(
                f"expert.algo must be one word such as a2c or ppo, got '{self.algo}'; "
                "or give expert.repo_id"
            )
        if self.repo_id is None:
            one_of("expert.algo", self.algo, ALGOS)

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        try:
            place, notes = self._locate(env_id)
            return self._loaded(env_id, place, notes, observation_space, action_space)
        except HubUnreachable as err:
            pinned = [key for key in PINS if getattr(self, key) is not None]
            if pinned:
                raise HubUnreachable(
                    f"{err}; check the network: there is no fallback, as expert.{pinned[0]} is set"
                ) from err
            if self.fallback == "none":
                raise HubUnreachable(f"{err}; check the network, or use expert=bundled") from err
            return self._bundled(err, env_id, observation_space, action_space)

    def _bundled(
        self, err: HubUnreachable, env_id: str, observation_space: Space, action_space: Space
    ) -> Expert:
        if env_id not in bundled_ids():
            raise HubUnreachable(
                f"{err}, and no agent is bundled for '{env_id}'; check the network"
            ) from err
        algo = bundled_algo(env_id)
        other = "" if algo == self.algo else f" instead of {self.algo}"
        note = (
            f"{err}; using the bundled {algo} agent{other} "
            "(expert.fallback=none makes this an error)."
        )
        return load_bundled(
            env_id,
            observation_space,
            action_space,
            deterministic=self.deterministic,
            notes=(note[0].upper() + note[1:],),
        )

    def _locate(self, env_id: str) -> tuple[_Place, tuple[str, ...]]:
        """Returns the agent's file, in a repository at a fixed commit, and notes for the user."""
        if self.repo_id is not None:
            repo = Repo(self.repo_id, self.revision)
            return _pinned(repo, self._filename(self.repo_id, env_id)), ()
        unreachable: HubUnreachable | None = None
        for version in older_versions(env_id):
            name = f"{self.algo}-{version}"
            repo, filename = Repo(f"{AUTHOR}/{name}", self.revision), self.filename or f"{name}.zip"
            if unreachable and not repo.has(filename):
                continue
            try:
                found = _pinned(repo, filename)
            except HubUnreachable as err:  # an older version may be cached
                unreachable = unreachable or err
                continue
            except NotThere as err:
                _refuse_other_files(repo, err)
                continue
            note = f"The Hub has no {self.algo} agent for {env_id}: using the one for {version}."
            return found, () if version == env_id else (note,)
        raise unreachable or ExpertError(self._nothing_found(env_id))

    def _nothing_found(self, env_id: str) -> str:
        base = re.sub(r"-v\d+$", "", env_id)
        near = [repo_id for repo_id in agents_for(AUTHOR, base) if base in repo_id]
        algos = sorted({repo_id.split("/")[1].split("-")[0] for repo_id in near})
        hint = (
            f"expert.algo={'|'.join(algos)}"
            if algos
            else "expert=bundled, or expert.repo_id=user/name"
        )
        name = f"{AUTHOR}/{self.algo}-{env_id}"
        return f"there is no {self.algo} agent for '{env_id}' on the Hub ({name}); try {hint}"

    def _filename(self, repo_id: str, env_id: str) -> str:
        """Returns the given filename, or that of the only agent in the repository."""
        if self.filename is not None:
            return self.filename
        names = Repo(repo_id, self.revision).files()
        if {MANIFEST, POLICY} <= set(names):  # uploaded by `dagger push`
            return MANIFEST
        name = pick_agent(names, env_id, self.algo)
        if name is None:
            raise ExpertError(
                f"cannot tell which file of '{repo_id}' is the agent; "
                f"give expert.filename, one of: {', '.join(names)}"
            )
        return name

    def _loaded(
        self,
        env_id: str,
        place: _Place,
        notes: tuple[str, ...],
        observation_space: Space,
        action_space: Space,
    ) -> Expert:
        repo, model = place.repo, place.model
        found, results = _companions(place)
        if isinstance(found, AgentFiles) and repo.unknown(STATISTICS[-1]):
            notes += (
                f"The Hub did not reply: '{repo.repo_id}' is used as it is in the cache, without "
                f"{STATISTICS[-1]}.",
            )
        digest = sha256_of(found.archive if isinstance(found, Student) else model)
        if self.sha256 is not None and digest != self.sha256.lower():
            raise ExpertError(
                f"'{model.name}' of '{repo.repo_id}' has the sha256 {digest}, not expert.sha256; "
                "check expert.revision, or delete the file from the cache and try again"
            )

        def card(facts: Mapping[str, Any]) -> Card:
            origin = {"repo_id": repo.repo_id, "commit": repo.revision, "filename": model.name}
            older = version_notes(facts, env_id) if isinstance(found, Student) else ()
            return Card(
                name=f"{repo.repo_id} on the Hub",
                source=f"hub:{repo.repo_id}@{repo.revision}",
                sha256=digest,
                published=(results and results_in(results))
                or published(facts)
                or (zoo_score(model.stem) if repo.repo_id == f"{AUTHOR}/{model.stem}" else None),
                notes=(*notes, *older, *training_notes(facts)),
                details={**facts, **origin},
            )

        spaces = observation_space, action_space
        return expert_of(found, card, self.deterministic, *spaces, self.trust)


class _Place(NamedTuple):
    """An agent's file, its repository, and whether it was in the cache before."""

    repo: Repo
    model: Path
    cached: bool


def _pinned(repo: Repo, filename: str) -> _Place:
    """Downloads the file; the repository is at the commit that it came from."""
    cached = repo.has(filename)
    path = repo.fetch(filename)
    return _Place(replace(repo, revision=commit_of(path) or repo.revision), path, cached)


def _refuse_other_files(repo: Repo, err: NotThere) -> None:
    """Raises ExpertError with the repository's files, where the repository exists."""
    try:
        names = repo.files()
    except NotThere:
        return
    raise ExpertError(f"{err}; '{repo.repo_id}' has: {', '.join(names)}") from err


def _companions(place: _Place) -> tuple[Found, Path | None]:
    """Returns the agent with the files that belong to it, and its results.json."""
    repo, model, cached = place
    if model.name == MANIFEST:
        repo.fetch(POLICY)
        return Student(model.parent), _results(repo)
    if model.suffix == ".safetensors":
        repo.fetch(f"{model.stem}.json")
        return model.with_suffix(""), _results(repo)
    names = ("config.yml", "env_kwargs.yml", RESULTS)
    zoo = repo.repo_id.startswith(f"{AUTHOR}/")  # all of its repositories have one name for them
    statistics = STATISTICS[-1:] if zoo else STATISTICS[::-1]
    found = repo.fetch_those_there(*statistics, *names, cached=cached)
    config, kwargs, results = map(found.get, names)
    first = next(filter(None, map(found.get, statistics)), None)
    return AgentFiles(model, first, config, env_kwargs=kwargs), results


def _results(repo: Repo) -> Path | None:
    try:
        return repo.fetch_if_there(RESULTS)
    except ExpertError:
        return None


def results_in(path: Path) -> tuple[float, float] | None:
    """Returns (mean, standard deviation) from a results.json of rl-baselines3-zoo, or None."""
    try:
        results: dict[str, Any] = json.loads(read_bounded(path, MAX_CARD_BYTES))
        return float(results["mean_reward"]), float(results["std_reward"])
    except (ExpertError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None
