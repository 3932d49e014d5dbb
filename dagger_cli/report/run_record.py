"""Everything that a report says about one run, read from its folder; nothing in it is trusted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.report.config_file import Settings, read_settings
from dagger_cli.report.job_file import JobFile, read_job, read_object
from dagger_cli.tracking.metrics import MAX_BYTES
from dagger_cli.tracking.paused import asks_in
from dagger_cli.tracking.run_paths import METRICS, SUMMARY, VERSIONS
from dagger_cli.utils.files import read_bytes

_MAX_SUMMARY = 2**22
_MAX_ROUNDS, _MAX_ROUND = 100_000, 10**9
_LARGEST = 1e30  # of a metric; the square of a larger one may be infinite
Row = Mapping[str, float]


class Final(NamedTuple):
    """Scores in summary.json; `expert` is nan where it was not scored."""

    student: float
    expert: float
    round: int
    labels: int
    env_steps: int
    seconds: float
    rendered: bool


@dataclass(frozen=True)
class RunRecord:
    """A run on disk. `final` is None unless summary.json is of its last round.

    `damaged` is the reason why a file of it cannot be read; what could be read is there.
    """

    folder: Path
    settings: Settings
    job: JobFile
    rows: tuple[Row, ...]
    final: Final | None
    versions: tuple[str, ...] = ()
    damaged: str | None = None

    @property
    def env(self) -> str:
        """Name of the environment, `?` where it is not known."""
        return self.settings.get("env.name", self._word("env"))

    @property
    def trainer(self) -> str:
        """Name of the trainer, `?` where it is not known."""
        return self.settings.get("trainer.name", self._word("trainer"))

    @property
    def seed(self) -> str:
        """Seed, `?` where it is not known."""
        return self.settings.get("seed", self._word("seed"))

    @property
    def round(self) -> int:
        """Number of finished rounds, as far as they were recorded."""
        return int(self.rows[-1]["round"]) if self.rows else self.final.round if self.final else 0

    @property
    def rounds(self) -> int | None:
        """Number of rounds that the run was to have."""
        text = self.settings.get("rounds", "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @property
    def labels(self) -> float:
        """Labels used, nan where they are not known."""
        if self.final is not None:
            return self.final.labels
        return self.rows[-1].get("train/labels", np.nan) if self.rows else np.nan

    @property
    def status(self) -> str:
        """`finished`, `failed`, `pruned` (by a search), `damaged`, `waiting` or `stopped`."""
        if self.damaged is not None:
            return "damaged"
        if self.final is not None:
            return "finished"  # also a failed job that was resumed by hand
        if self.job.status in ("failed", "pruned"):
            return str(self.job.status)
        return "waiting" if asks_in(self.folder, self.round + 1) else "stopped"

    def column(self, name: str) -> Array:
        """Returns a metric of all rounds, nan where it was not recorded."""
        return np.array([row.get(name, np.nan) for row in self.rows], dtype=float)

    def _word(self, key: str) -> str:
        given = [word for word in self.job.words if word.lstrip("+").startswith(f"{key}=")]
        return given[-1].partition("=")[2] if given else "?"


def read_run(folder: Path) -> RunRecord:
    """Reads the files of a run; what cannot be read is left out, and `damaged` says why."""
    problems: list[str] = []

    def tried(read: Any, *arguments: Any, otherwise: Any) -> Any:
        try:
            return read(*arguments)
        except OSError as err:
            problems.append(f"{Path(str(err.filename or folder)).name}: {err.strerror or err}")
        except (ValueError, TypeError, KeyError, OverflowError) as err:
            problems.append(str(err))
        return otherwise

    settings = tried(read_settings, folder, otherwise={})
    job = tried(read_job, folder, otherwise=JobFile())
    rows = tried(_rows, folder, otherwise=())
    final = tried(_final, folder, rows, settings, otherwise=None)
    versions = tried(_versions, folder, otherwise=())
    if not settings and job.status is None and not problems:
        problems.append("there is no config.yaml")
    damaged = "; ".join(problems) or None
    return RunRecord(folder, settings, job, rows, final, versions, damaged)


def _rows(folder: Path) -> tuple[Row, ...]:
    """Returns the lines of metrics.jsonl by round; a line cut off by a kill is left out."""
    if not (folder / METRICS).exists():
        return ()
    lines = read_bytes(folder / METRICS, MAX_BYTES).splitlines()
    rows = {}
    for line in lines[:_MAX_ROUNDS]:
        row = _numbers(line)
        if 1 <= row.get("round", 0) < _MAX_ROUND:
            rows[row["round"]] = row
    if lines and not rows:
        raise ValueError(f"{METRICS} has no readable line")
    return tuple(rows[round] for round in sorted(rows))


def _numbers(line: bytes) -> Row:
    try:
        values = json.loads(line)
        numbers = {k: float(v) for k, v in values.items() if type(v) in (int, float)}
        return {k: v for k, v in numbers.items() if abs(v) < _LARGEST}
    except (ValueError, AttributeError, RecursionError, OverflowError):
        return {}


def _final(folder: Path, rows: tuple[Row, ...], settings: Settings) -> Final | None:
    value = read_object(folder / SUMMARY, _MAX_SUMMARY)
    if not value:
        return None
    try:
        expert, spent = value.get("expert"), value["spent"]
        final = Final(
            float(value["student"]["mean"]),
            math.nan if expert is None else float(expert["mean"]),
            int(value.get("student_round", value["best"]["round"])),
            int(spent["labels"]),
            int(spent["env_steps"]),
            float(value["wall_seconds"]),
            "watch" in value.get("commands", {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as err:
        raise ValueError(f"{SUMMARY} lacks a score, or it is no number") from err
    if not abs(final.student) < _LARGEST or abs(final.expert) > _LARGEST:
        raise ValueError(f"{SUMMARY} has a score that is no finite number")
    return final if _is_of_the_end(final, rows, settings) else None


def _is_of_the_end(final: Final, rows: tuple[Row, ...], settings: Settings) -> bool:
    """Returns whether no round came after these scores: a resumed run keeps the old file."""
    if not rows:
        return True
    last, rounds = rows[-1], settings.get("rounds", "")
    labels = last.get("train/labels", final.labels)
    env_steps = last.get("train/env_steps", final.env_steps)  # a round may ask for no label
    unfinished = rounds.isdecimal() and last["round"] < float(rounds)
    return (labels, env_steps) == (final.labels, final.env_steps) and not unfinished


def _versions(folder: Path) -> tuple[str, ...]:
    """Returns the version of this program, its git revision, and Python's."""
    value = read_object(folder / VERSIONS, _MAX_SUMMARY)
    git = value.get("git")
    revision = str(git.get("revision"))[:12] if isinstance(git, dict) else None
    named = {"dagger-cli": value.get("dagger-cli"), "python": value.get("python"), "git": revision}
    return tuple(f"{name} {text}" for name, text in named.items() if text is not None)
