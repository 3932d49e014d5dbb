"""job.json, which a sweep writes into the folder of each of its jobs, and the words of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagger_cli.tracking.run_paths import JOB
from dagger_cli.tracking.run_words import run_words
from dagger_cli.utils.files import read_bytes

_MAX_BYTES = 2**22  # a traceback is in it


@dataclass(frozen=True)
class JobFile:
    """Words of a job, and how it ended; `status` is None without a job.json."""

    words: tuple[str, ...] = ()
    status: str | None = None
    error: str | None = None


def read_job(run: Path) -> JobFile:
    """Returns what job.json and versions.json say; raises OSError, ValueError for job.json."""
    job = read_object(run / JOB, _MAX_BYTES)
    words = job.get("words", run_words(run))
    status, error = job.get("status"), job.get("error")
    return JobFile(
        tuple(map(str, words)) if isinstance(words, (list, tuple)) else (),
        None if status is None else str(status),
        None if error is None else str(error),
    )


def read_object(path: Path, limit: int) -> dict[str, Any]:
    """Returns the object in a JSON file, an empty one without the file."""
    if not path.exists():
        return {}
    try:
        value = json.loads(read_bytes(path, limit))
    except RecursionError as err:
        raise ValueError(f"{path.name} is nested too deep") from err
    except ValueError as err:
        raise ValueError(f"{path.name} is not valid JSON") from err
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} is not a JSON object")
    return value
