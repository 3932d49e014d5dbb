"""`aggregate.storage=disk` compared with memory: the same run, with and without enough memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from measure import HERE, Took, train
from wide import WIDTH

LABELS, ROUNDS = 200_000, 10
ROOM = 640  # MiB for a whole process: less than its aggregate
LONG = 2  # repeats at most of a part whose runs take a minute or more
NAMES = ("memory", "disk", "disk, little memory")
WORDS = (
    *("env=gym", "env.id=Wide-v0", "env.imports=wide", "env.workers=0", "n_envs=16"),
    *("expert=python", "expert.target=wide:expert", "expert.batched=true"),
    *(f"rounds={ROUNDS}", f"labels={LABELS}"),
    *("policy.gradient_steps=300", "validation.episodes=1", "evaluation.episodes=1"),
)


def storage(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns seconds in memory, on disk, and on disk in a cgroup smaller than the aggregate.

    Each repeat runs the three in turn. The cgroup's limit includes the page cache; the third is
    None where the system allows no cgroup.
    """
    path = os.environ.get("PYTHONPATH", "")
    here = ("env", f"PYTHONPATH={HERE}:{path}")
    lines = []
    for _ in range(min(repeats, LONG)):
        line: dict[str, Took | None] = {}
        for name in NAMES[:2]:
            words = (*WORDS, f"aggregate.storage={name}")
            line[name] = train(runs / f"storage_{name}", *words, before=here)[0]
        line[NAMES[2]] = _limited(runs / "storage_limited", here)
        lines.append(line)
    return {
        "aggregate_mib": round(LABELS * (WIDTH * 4 + 8 + 4 * 4) / 2**20),
        "room_mib": ROOM,
        "seconds": {name: [_rounded(line[name], "seconds") for line in lines] for name in NAMES},
        "cpu_seconds": {
            name: [_rounded(line[name], "cpu_seconds") for line in lines] for name in NAMES
        },
        "over_memory": {name: _over(lines, name) for name in NAMES[1:]},
    }


def _limited(folder: Path, here: tuple[str, ...]) -> Took | None:
    with _group() as procs:
        if procs is None:
            return None
        joining = ("sh", "-c", f'echo $$ > {procs}; exec "$@"', "sh", *here)
        return train(folder, *WORDS, "aggregate.storage=disk", before=joining)[0]


@contextmanager
def _group() -> Iterator[Path | None]:
    """Returns the file that adds a process to a new cgroup of `ROOM` MiB."""
    for parent, limit in (
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        (Path("/sys/fs/cgroup"), "memory.max"),
    ):
        group = parent / f"dagger_bench_{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(ROOM * 2**20))
        except OSError:
            group.rmdir()
            continue
        try:
            yield group / "cgroup.procs"
        finally:
            group.rmdir()
        return
    yield None


def _over(lines: list[dict[str, Took | None]], name: str) -> list[float] | None:
    """Returns the smallest, median and largest ratio of the pairs."""
    pairs = [(line[name], line["memory"]) for line in lines]
    ratios = [ours.seconds / theirs.seconds for ours, theirs in pairs if ours and theirs]
    if not ratios:
        return None
    return [round(float(x), 2) for x in (min(ratios), np.median(ratios), max(ratios))]


def _rounded(cost: Took | None, key: str) -> float | None:
    return None if cost is None else round(getattr(cost, key), 1)
