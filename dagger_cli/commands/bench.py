"""`dagger bench`: trainers with several seeds on a set of tasks, one sweep per task, one report.

A task that was interrupted goes on where it stopped when the command is given again: its sweep has
a folder of its own, in which finished jobs are not repeated.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dagger_cli.config.bench import Bench
from dagger_cli.core.errors import ConfigError
from dagger_cli.tracking.latest import OUTPUTS
from dagger_cli.utils.quoting import hydra_value, shell_joined
from dagger_cli.utils.system import safe_environ


def chosen(
    bench: Bench, *, tasks: str | None, trainers: str | None, seeds: str | None, add: str | None
) -> Bench:
    """Returns a part of the set; `add` are further trainers. All are separated by commas."""
    names = list(bench.tasks) if tasks is None else tasks.split(",")
    unknown = [name for name in names if name not in bench.tasks]
    if unknown:
        raise ConfigError(f"there is no task '{unknown[0]}' ({', '.join(bench.tasks)})")
    own = bench.trainers if trainers is None else tuple(trainers.split(","))
    return replace(
        bench,
        trainers=tuple(dict.fromkeys((*own, *(add.split(",") if add else ())))),
        seeds=bench.seeds if seeds is None else tuple(seeds.split(",")),
        tasks={name: bench.tasks[name] for name in names},
    )


def run_bench(bench: Bench, folder: Path, words: Sequence[str], out: Path | None) -> int:
    """Runs the sweeps of all tasks, then writes the report; returns 2 where a job failed.

    `words` are further arguments of `dagger train`.
    """
    from dagger_cli.commands.report import report

    codes = []
    for name in bench.tasks:
        codes.append(_sweep(bench, name, folder / name, words))
        if codes[-1] and not (folder / name).exists():
            raise ConfigError(f"{name} was not started, see above")
    report([folder], out)
    return max(codes)


def _sweep(bench: Bench, name: str, folder: Path, words: Sequence[str]) -> int:
    line = [
        *("train", "-m", *bench.tasks[name]),
        f"trainer={','.join(bench.trainers)}",
        f"seed={','.join(bench.seeds)}",
        *words,
        f"hydra.sweep.dir={hydra_value(str(folder))}",
    ]
    print(f"\n{name}: {shell_joined(['dagger', *line])}", flush=True)
    command = [sys.executable, "-m", "dagger_cli", *line]
    code = subprocess.run(command, check=False, env=safe_environ()).returncode
    if code in (130, 143) or code < 0:
        raise KeyboardInterrupt
    return 2 if code else 0


def folder_of(name: str) -> Path:
    """Returns the folder of a set's runs: outputs/bench/<name>."""
    return Path(OUTPUTS) / "bench" / Path(name).stem
