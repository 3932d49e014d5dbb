"""The record of a person's answers: an append-only file of JSON lines in the run's folder.

The answers are the expert: a run that is repeated with the same record and seed visits the same
states and fits the same policies, bit for bit. So a run that was interrupted in the middle of a
round repeats the round's answers from the file, and then asks the person.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array
from dagger_cli.utils.files import open_log, read_bytes, shown_path, write_text

MAX_BYTES = 2**30
SYNC = 1.0  # seconds between writes that are forced to the disk


@dataclass(frozen=True)
class Answer:
    """One answer of the person in one state.

    `state` is a checksum of the observation; `action` its components; `takes`: the person is in
    charge; `back`: instead of an answer, so many steps were taken back; `seconds` the time that
    the person needed, without pauses.
    """

    state: int
    action: tuple[float, ...]
    takes: bool
    back: int
    seconds: float


class Record:
    """Answers so far, of which the first `place` have been used."""

    def __init__(self, path: Path) -> None:
        self.place = 0
        self._path = path
        self._answers = _read(path)
        self._file: TextIO | None = None
        self._synced = time.monotonic()

    @property
    def used(self) -> list[Answer]:
        """The answers used so far."""
        return self._answers[: self.place]

    @property
    def left(self) -> int:
        """Answers that are still to be repeated."""
        return len(self._answers) - self.place

    def seek(self, place: int) -> None:
        """Continues after the first `place` answers; raises EnvError where there are fewer."""
        if not 0 <= place <= len(self._answers):
            raise EnvError(
                f"{shown_path(self._path)} has {len(self._answers)} answers, but the checkpoint "
                f"was saved after {place}: the file was shortened, and this run cannot be resumed"
            )
        self.place = place

    def repeated(self, state: int) -> Answer | None:
        """Returns the next recorded answer, None after the last; EnvError for another state."""
        if not self.left:
            return None
        answer = self._answers[self.place]
        if answer.state != state:
            raise EnvError(
                f"{shown_path(self._path)}, line {self.place + 1}: this answer was given in "
                "another state, so the run does not repeat itself (another version, machine or "
                "setting); to go on from here with new answers, delete this line and all after it"
            )
        self.place += 1
        return answer

    def add(self, answer: Answer) -> None:
        """Appends an answer; at least once a second the file is forced to the disk."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open_log(self._path)
        self._file.write(json.dumps(asdict(answer)) + "\n")
        self._answers.append(answer)
        self.place += 1
        if time.monotonic() - self._synced > SYNC:
            self._sync()

    def close(self) -> None:
        """Forces the file to the disk and closes it; may be called twice."""
        if self._file is not None:
            self._sync()
            self._file.close()
            self._file = None

    def _sync(self) -> None:
        assert self._file is not None
        with suppress(OSError):  # network folders may not support it
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()


def checksum(obs: Array) -> int:
    """Returns a checksum of an observation."""
    import zlib

    return zlib.crc32(np.ascontiguousarray(obs).tobytes())


def _read(path: Path) -> list[Answer]:
    """Returns the answers of a file; a last line that was not written completely is removed."""
    if not path.exists():
        return []
    lines = read_bytes(path, MAX_BYTES).decode("utf-8", "replace").split("\n")
    whole, torn = lines[:-1], lines[-1]
    if torn:
        write_text(path, "".join(line + "\n" for line in whole))
    return [_parsed(path, i, line) for i, line in enumerate(whole, start=1)]


def _parsed(path: Path, number: int, line: str) -> Answer:
    try:
        value: dict[str, Any] = json.loads(line)
        action = tuple(float(part) for part in value["action"])
        takes, back = bool(value["takes"]), int(value["back"])
        answer = Answer(int(value["state"]), action, takes, back, float(value["seconds"]))
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise EnvError(
            f"{shown_path(path)}, line {number} is not an answer ({err!r}): the file was altered"
        ) from err
    return answer
