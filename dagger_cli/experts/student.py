"""A policy trained by this program (a student) as an expert, loaded from its checkpoint.

Any policy can be an expert. It is rebuilt from checkpoint.json and policy.safetensors; classes that
the checkpoint's config names must be part of this package or of a package that the user trusts
(config/saved.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import DaggerError, ExpertError
from dagger_cli.core.past import observation_of
from dagger_cli.core.policies import Mixture
from dagger_cli.core.types import Acts, Array, Card, Expert, Observation, Policy, Space
from dagger_cli.experts.cards import save_expert
from dagger_cli.experts.network_expert import STAYS
from dagger_cli.networks.agent_files import Agent, read_bounded

MANIFEST, POLICY, SUMMARY = "checkpoint.json", "policy.safetensors", "summary.json"
MAX_MANIFEST_BYTES = 4 * 2**20
MAX_POLICY_BYTES = 2**30  # a mixture has many networks


class Student(NamedTuple):
    """Folder of one checkpoint: checkpoint.json and policy.safetensors."""

    folder: Path

    @property
    def archive(self) -> Path:
        """Path of its weights."""
        return self.folder / POLICY


def find_student(path: Path) -> Student | None:
    """Returns the student in a run (its best round), a checkpoint folder or a download, or None."""
    places = [path]
    if path.name in ("best", "last"):
        places += _pointed(path.parent / "checkpoints", path.name) + _pointed(
            path.parent, path.name
        )
    places += _pointed(path / "checkpoints", "best") + _pointed(path, "best")
    return next((Student(place) for place in places if (place / MANIFEST).is_file()), None)


def _pointed(checkpoints: Path, name: str) -> list[Path]:
    """Returns where `best` or `last` may be (tracking/pointers.py); without it the last round."""
    pointer = checkpoints / name
    if pointer.is_file():
        return [
            checkpoints / Path(read_bounded(pointer, 64).decode("ascii", "replace").strip()).name
        ]
    if pointer.is_dir() or not checkpoints.is_dir():
        return [pointer]
    rounds = sorted(checkpoints.glob("round_*"), key=lambda path: (len(path.name), path.name))
    return rounds[-1:]


@dataclass(frozen=True)
class StudentExpert:
    """Expert whose labels are the actions of a student."""

    policy: Policy
    card: Card
    stays_because: ClassVar[str] = STAYS

    def act(self, observation: Observation, rng: Generator) -> Acts:
        return Acts(self.policy.act(observation, rng).actions, np.ones(len(observation), bool))


@dataclass(frozen=True)
class NetworkStudent(StudentExpert):
    """Student expert that is a single network, so it can be saved as an agent."""

    agent: Agent

    def save(self, stem: Path) -> tuple[Path, Path]:
        """Writes `<stem>.safetensors` and the card `<stem>.json`, which expert=path loads."""
        return save_expert(self.agent, self.card, stem)

    def shape(self) -> str:
        """Returns a summary such as `box (4,), Standardise, Linear 64, ReLU, Linear 2, ...`."""
        return self.agent.spec.shape(self.agent.weights)


@dataclass(frozen=True)
class ViewedStudent:
    """Student expert that sees a view, which it needs in whole episodes (views/asked.py).

    Its memory is the number of steps that it has acted in an episode.
    """

    policy: Policy
    card: Card
    view: Any
    memory_size: ClassVar[int] = 1

    def advance(self, obs: Array, memory: Array) -> tuple[Array, Array]:
        """Returns the actions in `obs` (n, *shape of the view), and the memory after them."""
        seen = observation_of(obs, memory[:, 0].astype(np.int64))
        return self.policy.act(seen, np.random.default_rng(0)).actions, memory + 1

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Raises ExpertError: a full observation does not say what the student saw."""
        raise ExpertError(
            "this expert is a student with a view, so it acts only where it sees whole episodes: "
            "in dagger train, eval and expert score; dagger_cli.load_policy takes what it saw"
        )


def load_student(
    student: Student,
    card: Callable[[Mapping[str, Any]], Card],
    observation_space: Space,
    action_space: Space,
    trust: tuple[str, ...],
) -> Expert:
    """Loads a student as an expert; `card` creates its card from the facts in the checkpoint.

    Raises ExpertError where a file is missing or altered, or does not fit the environment.
    """
    manifest = _manifest(student.folder / MANIFEST)
    try:
        facts = _facts(student, manifest)
        arrays = _arrays(student.archive, str(manifest["files"][POLICY]))
        config = manifest["config"]
    except (KeyError, TypeError, AttributeError) as err:
        raise ExpertError(
            f"'{student.folder / MANIFEST}' lacks a required entry: {str(err)[:80]}"
        ) from err
    policy, view = _policy(student, config, arrays, observation_space, action_space, trust)
    if view is not None:
        if isinstance(policy, Mixture):
            raise ExpertError(
                f"'{student.folder}' is a mixture that draws its members, and has a view: as an "
                "expert it would answer otherwise in a resumed run; use a student of trainer=dagger"
            )
        return ViewedStudent(policy, card(facts), view)
    agent = _agent(policy, observation_space, action_space, facts)
    made = card(facts)
    return StudentExpert(policy, made) if agent is None else NetworkStudent(policy, made, agent)


def _policy(
    student: Student,
    config: Mapping[str, Any],
    arrays: Mapping[str, Array],
    observation_space: Space,
    action_space: Space,
    trust: tuple[str, ...],
) -> tuple[Policy, Any]:
    from dagger_cli.config.saved import policy_of

    try:
        with _threads_kept():
            return policy_of(config, arrays, observation_space, action_space, trust)
    except DaggerError as err:
        trained_in = str(config["env"]["id"])[:80]
        raise ExpertError(
            f"'{student.folder}' was trained on {trained_in} and cannot be used here: "
            f"{' '.join(str(err).split())[:300]}"
        ) from err


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Restores the number of torch threads, which the expert's config must not change."""
    import torch

    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _agent(
    policy: Policy, observation_space: Space, action_space: Space, facts: Mapping[str, Any]
) -> Agent | None:
    from dagger_cli.networks.spec_modules import spec_of

    found = spec_of(getattr(policy, "network", None), observation_space, action_space)
    return None if found is None else Agent(*found, facts)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_bounded(path, MAX_MANIFEST_BYTES))
    except (ValueError, RecursionError) as err:
        raise ExpertError(f"'{path}' is truncated or altered: it is not JSON") from err
    if not isinstance(content, dict) or content.get("format_version") != 1:
        raise ExpertError(f"'{path}' is not a checkpoint that this version of dagger-cli reads")
    return content


def _arrays(path: Path, sha256: str) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = read_bounded(path, MAX_POLICY_BYTES)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ExpertError(f"'{path}' is truncated or altered: its sha256 is not the recorded one")
    try:
        arrays: dict[str, Array] = load(data)
    except (SafetensorError, KeyError, ValueError) as err:
        raise ExpertError(f"'{path}' does not hold arrays ({err})") from err
    if not all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f"):
        raise ExpertError(f"'{path}' holds numbers that are not finite")
    return arrays


def _facts(student: Student, manifest: Mapping[str, Any]) -> dict[str, Any]:
    config = manifest["config"]
    facts = {
        "sha256": manifest["files"][POLICY],
        "trained_in": config["env"]["id"],
        "trainer": config["trainer"]["name"],
        "round": manifest["round"],
        "labels": manifest["spent"]["labels"],
        "env_steps": manifest["spent"]["env_steps"],
        "taught_by": manifest["expert"]["name"],
        "dagger_version": manifest["dagger_version"],
    }
    score = student_score(student)
    return facts if score is None else facts | {"score": score}


def student_score(student: Student) -> dict[str, Any] | None:
    """Returns the score of this round's policy in the run's final table; None without one."""
    for folder in (student.folder, *student.folder.resolve().parents[:2]):
        try:
            summary = json.loads(read_bounded(folder / SUMMARY, MAX_MANIFEST_BYTES))
            score = summary["student"]
            told = json.loads(read_bounded(student.folder / MANIFEST, MAX_MANIFEST_BYTES))
            if told["round"] == played_round(summary):
                return {key: score[key] for key in ("mean", "std", "min", "max", "episodes")}
        except (ExpertError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return None


def played_round(summary: Any) -> Any:
    """Returns the round of the policy in a run's final table; in older runs the best one."""
    return summary.get("student_round", summary["best"]["round"])
