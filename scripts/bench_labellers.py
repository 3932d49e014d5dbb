"""What workers gain and cost: an expert of 5 ms a state, and the Mario planner.

    python scripts/bench_labellers.py                # prints ratios, writes docs/labellers.json
    python scripts/bench_labellers.py out=here.json  # another file
    python scripts/bench_labellers.py show           # prints the table of docs/labellers.md

Speed-up is the time of labeller=local by that of the option; the overhead is what its time has
beyond an even share of the expert's. Without Ray its rows are left out.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from dagger_cli.core.types import Expert, Observation, Space
from dagger_cli.experts.python import Python
from dagger_cli.labellers.interface import Labelled
from dagger_cli.labellers.processes import Processes
from dagger_cli.labellers.ray_actors import RayActors

PAGE = Path(__file__).resolve().parents[1] / "docs" / "labellers.json"
SLEEP = 0.005  # seconds a state
ROWS, STEP_ROWS, TINY_PIECES = 1600, 16, 400
WORKERS = (1, 2, 8)
REPEATS = 3
GAMES = 1500
NODES, CORES = 100, 8
SEEN = Space("box", (24,), "float32", (-9.0,) * 24, (9.0,) * 24)
ACTED = Space("box", (4,), "float32", (-1.0,) * 4, (1.0,) * 4)
RNG = np.random.default_rng(0)


def sleeper(obs: Any) -> Any:
    time.sleep(SLEEP)
    return np.tanh(obs[:4])


def instant(obs: Any) -> Any:
    return obs[:4]


def load_sleeper() -> Expert:
    return Python("bench_labellers:sleeper", False).load("bench", SEEN, ACTED)


def load_instant() -> Expert:
    return Python("bench_labellers:instant", False).load("bench", SEEN, ACTED)


def load_planner() -> Expert:
    from dagger_cli.experts.mario_planner.source import MarioPlanner

    keys = {"ticks_per_action": 3, "nodes": 1000, "horizon": 220, "greed": 0.9}
    buttons = Space("multi_binary", (4,), "int8", sizes=(2,) * 4)
    return MarioPlanner(**keys, damage=1000, caution=6).load("mario", SEEN, buttons)


def rows(n: int) -> Observation:
    return Observation(RNG.normal(size=(n, 24)).astype(np.float32), np.arange(n))


def options() -> dict[str, Callable[[int], Any]]:
    """Returns the labellers by name; Ray's actors reserve few cores, as this expert sleeps."""
    made: dict[str, Callable[[int], Any]] = {"processes": Processes}
    if find_spec("ray"):
        made["ray"] = lambda workers: RayActors(None, workers, 0.1)
    return made


@contextmanager
def labelled(labeller: Any, load: Callable[[], Expert]) -> Iterator[Any]:
    """Yields the expert with its workers, all of them ready."""
    made: Labelled = labeller.labelled(load(), load)
    expert: Any = made.expert
    try:
        while len(expert._pool.ready) < expert._pool._crew.size:
            expert._pool.answers("act", rows(8), SLEEP)
        yield expert
    finally:
        made.close()


def seconds(expert: Expert, batch: Observation, repeats: int = REPEATS) -> float:
    """Returns the median time of a batch."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        expert.act(batch, RNG)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def sleeping(labeller: Any, local: dict[str, float], workers: int) -> dict[str, float]:
    """Measures a batch of a round's labels, and batches as small as those of a rollout's step."""
    with labelled(labeller, load_sleeper) as expert:
        whole, step = seconds(expert, rows(ROWS)), seconds(expert, rows(STEP_ROWS), 30)
    shares = {n: -(-n // workers) / n for n in (ROWS, STEP_ROWS)}
    return {
        "seconds": whole,
        "speed_up": local["seconds"] / whole,
        "overhead": whole / (local["seconds"] * shares[ROWS]) - 1,
        "step_seconds": step,
        "step_speed_up": local["step_seconds"] / step,
        "step_overhead_ms": 1000 * (step - local["step_seconds"] * shares[STEP_ROWS]),
    }


def cost_of_a_piece(labeller: Any) -> dict[str, float]:
    """Measures pieces of one row that take no time: the pace and the work of the main process."""
    with labelled(labeller, load_instant) as expert:
        pool = expert._pool
        pool.answers("act", rows(TINY_PIECES), 1.0)  # one row a piece, as if it took a second
        begin, busy = time.perf_counter(), time.process_time()
        pool.answers("act", rows(TINY_PIECES), 1.0)
        took, worked = time.perf_counter() - begin, time.process_time() - busy
    return {"ms": 1000 * took / TINY_PIECES, "main_cpu_ms": 1000 * worked / TINY_PIECES}


def games(n: int) -> Observation:
    """Returns states of Mario in episodes that the planner plays."""
    from bench_mario import GAME

    from dagger_cli.envs.mario.source import mario

    expert, slots, parts = load_planner(), np.arange(50), []
    with closing(mario(**GAME, observation="compact").open(len(slots))) as env:
        env.reset(slots, slots)
        for _ in range(n // len(slots)):
            seen = env.observation
            parts.append((seen.obs.copy(), seen.t.copy(), np.copy(seen.privileged)))
            ended = np.flatnonzero(env.step(slots, expert.act(seen, RNG).actions).ended)
            if ended.size:
                env.reset(ended, ended + 1000)
    return Observation(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def planning() -> dict[str, float]:
    """Compares the planner, which has a thread for each core, with two processes."""
    batch = games(GAMES)
    local = load_planner()
    local.act(batch[:50], RNG)
    made = Processes(2).labelled(load_planner(), load_planner)
    try:
        made.expert.act(batch, RNG)
        time.sleep(1)
        here, there = seconds(local, batch), seconds(made.expert, batch)
    finally:
        made.close()
    return {
        "labels": len(batch),
        "local_ms_a_label": 1000 * here / len(batch),
        "processes_ms_a_label": 1000 * there / len(batch),
        "speed_up": here / there,
    }


def extrapolated(piece: dict[str, float]) -> dict[str, float]:
    """Computes a million labels on `NODES` machines from the cost of a piece; see the page.

    A piece has 0.004 s per worker (labellers/pool.py). The main process works on one piece after
    another, so the last worker starts after all others have been given one.
    """
    workers, labels = NODES * CORES, 1_000_000
    n_pieces = labels * SLEEP / (0.004 * workers)
    ideal = labels * SLEEP / workers
    took = ideal + workers * piece["ms"] / 1000
    return {
        "nodes": NODES,
        "workers": workers,
        "labels": labels,
        "one_process_s": labels * SLEEP,
        "ideal_s": ideal,
        "seconds": took,
        "speed_up": labels * SLEEP / took,
        "main_busy": n_pieces * piece["ms"] / 1000 / took,
    }


def measured() -> dict[str, Any]:
    """Runs all measurements."""
    local_expert = load_sleeper()
    local = {
        "seconds": seconds(local_expert, rows(ROWS)),
        "step_seconds": seconds(local_expert, rows(STEP_ROWS), 10),
    }
    found: dict[str, Any] = {
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "sleep_ms": 1000 * SLEEP,
        "rows": ROWS,
        "step_rows": STEP_ROWS,
        "local": local,
        "pieces": {},
    }
    for name, option in options().items():
        if name == "ray":  # one cluster for all, with room for the largest number of workers
            option(max(WORKERS))
        found[name] = {}
        for workers in WORKERS:
            found[name][str(workers)] = sleeping(option(workers), local, workers)
            print(name, workers, found[name][str(workers)], flush=True)
        found["pieces"][name] = cost_of_a_piece(option(2))
        print("a piece", name, found["pieces"][name], flush=True)
    found["mario"] = planning()
    print("mario", found["mario"], flush=True)
    found["extrapolated"] = extrapolated(found["pieces"].get("ray", found["pieces"]["processes"]))
    return found


def table(found: dict[str, Any]) -> list[str]:
    """Returns the rows of the table of docs/labellers.md."""
    lines = [
        f"| labeller | workers | {found['rows']:,} states | speed-up | overhead | "
        f"{found['step_rows']} states | speed-up |",
        "|---|---|---|---|---|---|---|",
        f"| `local` | | {found['local']['seconds']:.2f} s | 1 | | "
        f"{1000 * found['local']['step_seconds']:.0f} ms | 1 |",
    ]
    for name in options_in(found):
        for workers, row in found[name].items():
            lines.append(
                f"| `{name}` | {workers} | {row['seconds']:.2f} s | {row['speed_up']:.2f} | "
                f"{row['overhead']:.1%} | {1000 * row['step_seconds']:.1f} ms | "
                f"{row['step_speed_up']:.2f} |"
            )
    return lines


def options_in(found: dict[str, Any]) -> list[str]:
    return [name for name in ("processes", "ray") if name in found]


def main() -> None:
    given = dict(word.partition("=")[::2] for word in sys.argv[1:])
    page = Path(given.get("out", PAGE))
    if "show" not in given:
        page.write_text(json.dumps(measured(), indent=2) + "\n")
    print("\n".join(table(json.loads(page.read_text()))))


if __name__ == "__main__":
    main()
