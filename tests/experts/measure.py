"""What every hostile file costs: {name: [answer, MiB above the honest one's, seconds]} as JSON.

Each is read in a process forked from this one, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from hostile_files import ARCHIVES, BOMBS, CALLS

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.sb3.archive import read_archive
from dagger_cli.experts.sb3.vecnormalize import read_statistics

LIMIT = 20  # seconds until a reader is given up


def damaged(n: int) -> bytes:
    """An honest archive with random bytes in it, or random bytes alone."""
    rng = random.Random(n)
    if n % 4 == 0:
        return rng.randbytes(5000)
    data = bytearray(ARCHIVES["honest"]())
    for _ in range(rng.randint(1, 30)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def cost(read: Callable[[], object]) -> tuple[str, float, float]:
    """How it ended, the peak of its resident memory in MiB, and how long it took."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
        os._exit(_outcome(read))
    _, status, usage = os.wait4(child, 0)
    answers = {0: "read", 1: "refused"}
    answer = answers.get(os.waitstatus_to_exitcode(status), f"status {status}")
    return answer, usage.ru_maxrss / 1024, time.monotonic() - started


def _outcome(read: Callable[[], object]) -> int:
    try:
        read()
    except ExpertError as err:
        return 1 if "\n" not in str(err) and len(str(err)) < 400 else 3
    except BaseException:
        return 2
    return 0


def main() -> None:
    warnings.simplefilter("ignore")
    files = {name: make() for name, make in ARCHIVES.items()}
    files |= {f"damaged {n}": damaged(n) for n in range(20)}
    places = {name: Path(f"{i}.zip") for i, name in enumerate(files)}
    for name, data in files.items():
        places[name].write_bytes(data)
    del files
    read_archive(places["honest"])  # torch is loaded once, in here
    results = {name: cost(lambda path=path: read_archive(path)) for name, path in places.items()}
    for name, data in {**CALLS, **BOMBS}.items():
        results[f"pickle {name}"] = cost(lambda data=data: read_statistics(data))
    honest = results["honest"][1]
    json.dump({name: (a, m - honest, s) for name, (a, m, s) in results.items()}, sys.stdout)


if __name__ == "__main__":
    main()
