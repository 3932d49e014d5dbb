"""Lower bound of the default run's time: all its work at the rates of the libraries alone."""

from __future__ import annotations

import json
import os
from typing import Any

from measure import python

SLOTS = 32  # that the final table is played in


def limit(
    config: dict[str, Any], summary: dict[str, Any], rounds: list[dict[str, Any]], repeats: int
) -> dict[str, Any]:
    """Returns the seconds of env steps and of matrix products alone; measures the rates.

    The final table may use all cores. Everything else is sequential, as in the algorithm.
    """
    n_envs, steps = config["n_envs"], config["policy"]["gradient_steps"]
    pool = _rates("envpool", n_envs, repeats)
    table_rate = _rates("gymnasium", SLOTS, repeats) * len(os.sched_getaffinity(0))
    products = json.loads(python("fitting.py", f"repeats={repeats}").output.splitlines()[-1])
    collect = summary["spent"]["env_steps"]
    validation = config["validation"]["episodes"] * sum(
        row["eval/episode_length"] for row in rounds
    )
    validation += validation / len(rounds)  # the expert's own, once
    table = {
        who: summary[who]["mean"] / summary[who]["per_step"] * summary[who]["episodes"] / table_rate
        for who in ("student", "expert")
    }
    acting = (collect + validation) / n_envs * products["acting_us"] / 1e6
    seconds = {
        "collect: env steps": collect / pool,
        "validate: env steps": validation / pool,
        "products of actors and expert": acting,
        "fit: products": steps * len(rounds) * products["products_us"] / 1e6,
        "final table: the student's env steps in Gymnasium, on all cores": table["student"],
    }
    return {
        "envpool_steps_per_second": round(pool),
        "gymnasium_steps_per_second": round(table_rate),
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "all": round(sum(seconds.values()), 2),
        "expert": round(table["expert"], 2),
    }


def _rates(backend: str, n_envs: int, repeats: int) -> float:
    words = [f"backend={backend}", f"n_envs={n_envs}", f"repeats={repeats}"]
    return float(
        max(json.loads(python("collection.py", *words).output.splitlines()[-1])["bare_per_second"])
    )
