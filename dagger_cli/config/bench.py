"""Sets of tasks, trainers and seeds for `dagger bench`, from conf/bench/ or the user's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagger_cli.config.options import config_dir
from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.files import read_bytes

_MAX_BYTES = 2**20


@dataclass(frozen=True)
class Bench:
    """Every trainer with every seed on every task; a task is the words that `dagger train` gets."""

    trainers: tuple[str, ...]
    seeds: tuple[str, ...]
    tasks: Mapping[str, tuple[str, ...]]


def bench_names() -> list[str]:
    """Returns the names of the sets in conf/bench/."""
    return sorted(path.stem for path in (config_dir() / "bench").glob("*.yaml"))


def read_bench(name: str) -> Bench:
    """Returns a set by its name or by the path of a YAML file; raises ConfigError."""
    path = Path(name) if name.endswith(".yaml") else config_dir() / "bench" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(bench_names())
        raise ConfigError(f"there is no set {name} of tasks ({known}, or the path of a .yaml file)")
    try:
        return _bench(_parsed(read_bytes(path, _MAX_BYTES)))
    except OSError as err:
        raise ConfigError(f"{path} cannot be read: {err.strerror}") from err
    except (KeyError, TypeError, ValueError) as err:
        raise ConfigError(
            f"{path} must have lists `trainers` and `seeds`, and `tasks` that map a name to the "
            f"words of dagger train ({err})"
        ) from err


def _parsed(text: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as err:
        raise ValueError("not valid YAML") from err


def _bench(value: Any) -> Bench:
    tasks = {str(name): _texts(words) for name, words in dict(value["tasks"]).items()}
    bench = Bench(_texts(value["trainers"]), _texts(value["seeds"]), tasks)
    if not (bench.trainers and bench.seeds and tasks):
        raise ValueError("a list is empty")
    for name in tasks:
        if Path(name).name != name:
            raise ValueError(f"the task '{name}' cannot be the name of a folder")
    return bench


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"not a list: {values!r:.80}")
    return tuple(map(str, values))
