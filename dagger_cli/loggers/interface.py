"""Interface of loggers, which record the rounds of a run; config group `logger`.

A logger needs only the method `log`. A logger that raises is reported once and not called again;
the run continues.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Score, Usage
from dagger_cli.loop.run import Round


@dataclass(frozen=True)
class RunInfo:
    """Run at its start: folder, config, and progress.

    `round` and `labels` are 0 for a new run, else those of the checkpoint it is resumed from.
    `config_text` is the config as YAML, `words` are the overrides that a new run was started with,
    also where it is resumed.
    """

    folder: Path
    config: Mapping[str, Any]
    config_text: str
    round: int
    labels: int
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the run in tracking services: env, trainer and folder."""
        env, trainer = self.config["env"]["name"], self.config["trainer"]["name"]
        return f"{env}-{trainer}-{self.folder.absolute().name}"

    @property
    def settings(self) -> dict[str, Any]:
        """Config with flat keys, such as `policy.sizes`, without nulls and targets."""
        return dict(_flat(self.config))

    @property
    def chosen(self) -> dict[str, Any]:
        """Trainer, environment and seed, then what the words set, with the values of the run."""
        trainer, env = self.config["trainer"]["name"], self.config["env"]["name"]
        first = {"trainer": trainer, "env": env, "seed": self.config["seed"]}
        settings = self.settings
        set_by_words = dict(map(_key_and_text, self.words))
        given = {key: text for key, text in set_by_words.items() if _is_of_the_run(key)}
        own = {key: self._value(key, settings.get(key, text)) for key, text in given.items()}
        return first | own | first

    def _value(self, key: str, text: Any) -> Any:
        """Returns the name of a group's option, else the value as it is."""
        node = self.config.get(key)
        return node.get("name", text) if isinstance(node, Mapping) else text


@dataclass(frozen=True)
class RunResult:
    """Result of a run: final scores, round of the evaluated policy, and usage.

    `expert` is None where `evaluation.expert=false`, `gif` where the student was not recorded.
    """

    student: Score
    expert: Score | None
    round: int
    usage: Usage
    wall_seconds: float
    gif: Path | None = None

    @property
    def scalars(self) -> dict[str, float]:
        """Final table, under the names used in TensorBoard."""
        return {
            "final/return_mean": self.student.mean,
            "final/return_std": self.student.std,
            "final/failures": float(self.student.failures),
            **({} if self.expert is None else {"expert/return_mean": self.expert.mean}),
        }


class Logger(Protocol):
    """Logger of a run; only `log` is required."""

    def start(self, run: RunInfo) -> None:
        """Is called once, before the first round."""
        ...

    def log(self, finished: Round) -> None:
        """Is called after every round, before its checkpoint is written."""
        ...

    def finish(self, result: RunResult) -> None:
        """Is called with the final scores."""
        ...

    def close(self) -> None:
        """Is called at the end, also after an error."""
        ...


class Guarded:
    """Wrapper of a logger whose errors end neither the run nor the other loggers."""

    def __init__(self, name: str, logger: Any) -> None:
        if not callable(getattr(logger, "log", None)):
            raise ConfigError(
                f"logger.{name} ({type(logger).__name__}) has no method log(finished), which every "
                "logger needs: see docs/extending.md"
            )
        self.name, self._logger, self._failed = name, logger, False

    def start(self, run: RunInfo) -> None:
        """Starts the logger."""
        self._call("start", run)

    def __call__(self, finished: Round) -> None:
        """Logs a round."""
        self._call("log", finished)

    def finish(self, result: RunResult) -> None:
        """Logs the final scores."""
        self._call("finish", result)

    def close(self) -> None:
        """Closes the logger."""
        self._call("close")

    def _call(self, method: str, *arguments: Any) -> None:
        function = getattr(self._logger, method, None)
        if function is None or self._failed:
            return
        if getattr(self._logger, "required", False):
            function(*arguments)
            return
        try:
            function(*arguments)
        except ConfigError:  # such as a missing extra, before anything is trained
            raise
        except Exception as err:
            self._failed = True
            reason = " ".join(f"{type(err).__name__}: {err}".split())
            print(
                f"warning: logger '{self.name}' failed and is not used any more ({reason})",
                file=sys.stderr,
            )


def missing_extra(name: str, err: ImportError) -> ConfigError:
    """Returns the error for a logger whose library is not installed."""
    return ConfigError(f"logger={name} needs {err.name}: pip install 'dagger-cli[{name}]'")


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif key != "_target_" and value is not None:
            yield f"{prefix}{key}", value


_ELSEWHERE = ("~", "hydra", "labeller", "logger", "objective", "gif", "resume", "retry", "trust")


def _key_and_text(word: str) -> tuple[str, str]:
    key, _, text = word.lstrip("+").partition("=")
    return key.partition("@")[0], text


def _is_of_the_run(key: str) -> bool:
    """Returns whether a key says what is run, not where or how it is recorded."""
    return not key.startswith(_ELSEWHERE)
