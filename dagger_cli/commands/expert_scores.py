"""Scores of experts that need not be played: those of earlier runs, and of default experts.

A score of an earlier run, in a cache on disk, is reused where nothing it depends on can have
changed: the expert's files, the environment, the seeds, this package and the installed ones.
Experts and environments of other people's code are played again every time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.config.build import TrainJob
from dagger_cli.config.trust import foreign_packages
from dagger_cli.core.types import Score
from dagger_cli.experts.known_scores import known_score
from dagger_cli.tracking.versions import versions
from dagger_cli.utils.files import read_bytes, write_json
from dagger_cli.utils.system import cache_folder

_MAX_BYTES = 2**26  # of a score: four numbers per episode
_KINDS = {"seeds": np.int64, "returns": np.float64, "lengths": np.int64, "failed": np.bool_}
# Keys of an environment that change no episode.
_WHERE = ("workers", "step_timeout", "budget", "evaluation", "best")
# Packages that simulate the environments of these agents, by the backend of the final table.
_SIMULATORS = {"gymnasium": ("gymnasium", "box2d", "box2d-py", "numpy"), "envpool": ("envpool",)}
_FRESH = "evaluation.fresh=true plays them now"


class ExpertScore(NamedTuple):
    """A score, and a note for the user where its episodes were not played now."""

    score: Score
    note: str = ""


def expert_score(job: TrainJob, seeds: range, play: Callable[[], Score]) -> ExpertScore:
    """Returns the score of the job's expert on these seeds: a known one, or that of `play`."""
    path = _path(job, seeds)
    if path is None:
        return ExpertScore(play())
    if not job.plays_expert:
        known, when = _read(path, len(seeds)), "in an earlier run"
        if known is None:
            known, when = _shipped(job, seeds), "when this package was made"
        if known is not None:
            return ExpertScore(known, f"the expert played its episodes {when}: {_FRESH}")
    score = play()
    with suppress(OSError):  # a cache that cannot be written is not worth an error
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_json(path, {name: getattr(score, name) for name in _KINDS})
    return ExpertScore(score)


def settings_of(job: TrainJob) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns what an episode of the final table depends on: the environment and its simulators.

    The first has the settings, without the backend of the training; the second versions.
    """
    env = {key: value for key, value in _env(job).items() if key != "backend"}
    backend = getattr(job.env.eval_source, "chosen", "")
    installed: Mapping[str, str] = versions()["packages"]
    names = [name for name in _SIMULATORS.get(backend, ()) if name in installed]
    return env, {name: installed[name] for name in names}


def _shipped(job: TrainJob, seeds: range) -> Score | None:
    if not job.config["expert"].get("deterministic", False):
        return None
    return known_score(job.kit.expert.card.identity, *settings_of(job), seeds)


def _env(job: TrainJob) -> dict[str, Any]:
    return {key: value for key, value in job.config["env"].items() if key not in _WHERE}


def _path(job: TrainJob, seeds: range) -> Path | None:
    """Returns the file of the score; None where it must not be cached."""
    config, card = job.config, job.kit.expert.card
    repeats = getattr(job.env.source, "repeats", False)
    if card.code or not repeats or foreign_packages(config, ("env", "expert")):
        return None
    found = versions()
    expert = config["expert"]
    key = [card.identity, card.name, _env(job), expert, [seeds.start, seeds.stop], _package()]
    text = json.dumps([*key, found["python"], found["packages"]], sort_keys=True, default=str)
    name = hashlib.sha256(text.encode()).hexdigest()
    with suppress(OSError, RuntimeError):  # the user has no home
        return cache_folder() / "expert_scores" / f"{name}.json"
    return None


@cache
def _package() -> str:
    """Returns a hash of this package's source."""
    result = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        result.update(path.read_bytes())
    return result.hexdigest()


def _read(path: Path, episodes: int) -> Score | None:
    try:
        values: Any = json.loads(read_bytes(path, _MAX_BYTES))
        columns: dict[str, Any] = {
            name: np.array(values[name], kind) for name, kind in _KINDS.items()
        }
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    fits = all(column.shape == (episodes,) for column in columns.values())
    return Score(**columns) if fits else None
