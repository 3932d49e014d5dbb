"""sweep.yaml: the command line of a sweep, in the sweep's folder, and the claim of that folder.

A folder may have come from elsewhere, so what its sweep.yaml can start is bounded: see `safe`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from dagger_cli import __version__
from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.run_paths import SWEEP
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import read_bytes, shown_path, write_text
from dagger_cli.utils.quoting import hydra_value, shell_joined

_MAX_BYTES = 2**20  # of sweep.yaml
# Keys of Hydra that only say how many jobs run, how and where. Others may import or connect.
_HYDRA = re.compile(
    r"hydra/(launcher=(basic|joblib|submitit_local|submitit_slurm|ray)|sweeper=(basic|optuna)"
    r"|sweeper/(sampler|pruner)=\w+)"
    r"|hydra\.sweeper\.(n_trials|n_jobs|direction|max_batch_size|max_failure_rate|study_name|sampler\.seed)=.*"
    r"|hydra\.launcher\.(n_jobs|ray\.remote\.\w+)=.*|hydra\.(mode|job\.name)=.*"
)
_OTHERS = re.compile(
    r"(trust|logger|labeller|expert\.target|env\.imports)\b.*|env\.id=.*:.*|.*(_target_|\$\{).*"
)


def new_folder(folder: Path) -> Path:
    """Creates the folder of a new sweep; beside it where two sweeps start in the same second."""
    candidate, n = folder, 1
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                candidate.mkdir()
                return candidate
            except FileExistsError:
                n += 1
                candidate = folder.with_name(f"{folder.name}_{n}")


def write_sweep(folder: Path, words: Sequence[str]) -> None:
    """Writes sweep.yaml; `words` are the arguments of `dagger train`."""
    import yaml

    values = {
        "command": shlex.join(["dagger", "train", "-m", *words]),
        "words": list(words),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "dagger-cli": __version__,
    }
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / SWEEP, str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True)))


def read_words(folder: Path) -> tuple[str, ...]:
    """Returns the arguments of the sweep in this folder; CheckpointError for an invalid file."""
    import yaml

    path = folder / SWEEP
    try:
        words = yaml.safe_load(read_bytes(path, _MAX_BYTES))["words"]
        if not all(isinstance(word, str) for word in words):
            raise TypeError("words are texts")
    except (OSError, ValueError, TypeError, KeyError, RecursionError, yaml.YAMLError) as err:
        reason = " ".join(str(err).split())[:200]
        raise CheckpointError(
            f"{path} cannot be read ({reason}): give the sweep's whole command line with "
            f"hydra.sweep.dir={folder}"
        ) from err
    return tuple(words)


def resume_command(folder: Path, words: Sequence[str]) -> str:
    """Returns the command that resumes a sweep, with those of its arguments that it needs again."""
    path = hydra_value(shown_path(folder))
    again = [word for word in words if not safe(word)]
    return shell_joined(["dagger", "train", "-m", f"resume={path}", *again])


def safe(word: str) -> bool:
    """Returns whether an argument from sweep.yaml may be used without being typed again.

    A stranger's folder must not choose what is imported, trusted, or connected to.
    """
    if word.startswith("-"):
        return word in ("-m", "--multirun")
    if word.lstrip("+~").startswith("hydra"):
        return _HYDRA.fullmatch(word) is not None and "${" not in word
    placed = "@" in word.partition("=")[0]  # an option under another key
    return not placed and _OTHERS.fullmatch(word.lstrip("+~")) is None
