"""Scores real agents of rl-baselines3-zoo, and counts whose worlds a plain installation has.

    python scripts/zoo_agents.py [episodes=20] [only=HalfCheetah]

Needs copies of Hub repositories in $DAGGER_SHARED/hub/sb3 (default ../shared). Every agent plays
the seeds 1000.. in the environment that it was trained in, or in the version that Gymnasium has of
it. Writes docs/zoo_agents.json: the scores beside the published ones, and the count; prints the
table of docs/worlds.md.
"""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.errors import DaggerError
from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.hub import ALGOS
from dagger_cli.experts.path import Path as FromPath
from dagger_cli.experts.zoo_scores import zoo_names, zoo_score
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.utils.files import write_json

ROOT = Path(__file__).parents[1]
RENEWED = {
    "LunarLander-v2": "LunarLander-v3",
    "LunarLanderContinuous-v2": "LunarLanderContinuous-v3",
}


def world(env_id: str) -> str:
    """Returns the id of the environment here."""
    return RENEWED.get(env_id) or re.sub(r"NoFrameskip-v4$", "-v5", env_id)


def source_of(env_id: str) -> GymSource:
    """Opens the environment as `env=gym env.id=...` does; raises EnvError where it cannot."""
    return GymSource(
        id=world(env_id),
        imports="rl_zoo3.import_envs" if "NoVel-" in env_id else None,
        kwargs={},
        max_episode_steps=None,
        fresh_simulator="auto",
        workers="auto",
        backend="auto",
        failure="none",
    )


def scored(folder: Path, episodes: int) -> dict[str, Any]:
    """Plays one agent; returns its score beside the published one."""
    env_id = folder.name.partition("-")[2]
    source = source_of(env_id)
    found = FromPath(path=str(folder), algo=None, deterministic=True)
    expert = found.load(source.id, source.observation_space, source.action_space)
    if hasattr(expert, "limited"):
        expert = expert.limited(source.horizon)
    begin = time.perf_counter()
    with closing(source.open(min(episodes, 10))) as env:
        score = evaluate(env, expert, range(1000, 1000 + episodes), np.random.default_rng(0))
    return {
        "env": source.id,
        "backend": source.chosen,
        "mean": round(score.mean, 2),
        "std": round(score.std, 2),
        "episodes": episodes,
        "published": zoo_score(folder.name),
        "seconds": round(time.perf_counter() - begin, 1),
    }


def counted() -> dict[str, Any]:
    """Counts the published agents: those whose algorithm is read and whose world is here."""
    worlds: dict[str, str] = {}
    for name in zoo_names():
        env_id = name.partition("-")[2]
        if env_id not in worlds:
            try:
                worlds[env_id] = source_of(env_id).chosen
            except DaggerError:
                worlds[env_id] = "none"
    able = [
        n
        for n in zoo_names()
        if worlds[n.partition("-")[2]] != "none" and n.partition("-")[0] in ALGOS
    ]
    others = sorted(set(zoo_names()) - set(able))
    return {"published": len(zoo_names()), "here": len(able), "not_here": others}


def spread(mean: float, std: float) -> str:
    """Returns a cell of the table."""
    return f"{mean:,.1f} ± {std:,.1f}"


def main(words: list[str]) -> int:
    warnings.simplefilter("ignore")
    given = dict(word.partition("=")[::2] for word in words)
    if set(given) - {"episodes", "only"}:
        print(__doc__)
        return 2
    agents = Path(os.environ.get("DAGGER_SHARED", ROOT.parent / "shared")) / "hub" / "sb3"
    rows = {}
    for folder in sorted(agents.iterdir()):
        if given.get("only", "") in folder.name:
            rows[folder.name] = scored(folder, int(given.get("episodes", 20)))
            print(folder.name, rows[folder.name], flush=True)
    count = counted()
    print(f"{count['here']} of {count['published']} published agents; not: {count['not_here']}")
    for name, row in rows.items():
        here, theirs = spread(row["mean"], row["std"]), spread(*row["published"])
        print(f"| {name} | {row['env']} | {here} | {theirs} |")
    if "only" not in given:
        write_json(ROOT / "docs" / "zoo_agents.json", {"agents": rows, "count": count})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
