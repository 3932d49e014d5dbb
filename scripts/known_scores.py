"""Plays the test episodes of default experts: dagger_cli/experts/known_scores.json.

    python scripts/known_scores.py [env=bipedal,cartpole] [out=file]

`dagger train` shows these scores in its final table where nothing that they depend on differs, in
place of playing the same episodes on every machine. Without `env=` all experts play; with it those
of other environments stay as they are. Agents of the Hub are read from $DAGGER_SHARED/hub/sb3
(default ../shared); without that folder only the bundled ones play.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.cli.compose import composed
from dagger_cli.commands.expert_scores import settings_of
from dagger_cli.config.build import train_job
from dagger_cli.config.components import open_for
from dagger_cli.experts.known_scores import PATH
from dagger_cli.loop.evaluate import evaluate

ENVS = (
    *("acrobot", "bipedal", "cartpole", "halfcheetah", "lunarlander", "lunarlander_continuous"),
    *("mountaincar", "mountaincar_continuous", "pendulum"),
)


HUB = {  # the default agents that are at hand
    "bipedal": "a2c-BipedalWalker-v3",
    "cartpole": "ppo-CartPole-v1",
    "lunarlander": "ppo-LunarLander-v2",
    "pendulum": "tqc-Pendulum-v1",
}
SHARED = Path(os.environ.get("DAGGER_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def experts(env: str) -> Iterator[str]:
    """Yields the overrides that choose each default expert of an environment."""
    yield "expert=bundled"
    agent = SHARED / "hub" / "sb3" / HUB.get(env, "")
    if env in HUB and agent.is_dir():
        yield f"expert=path expert.path={agent}"


def played(env: str, expert: str) -> tuple[str, dict[str, Any]]:
    """Returns the identity of an expert, and its episodes."""
    words = [f"env={env}", *expert.split()]
    with composed("train", words) as cfg:
        job = train_job(cfg, words, sweep=False)
    seeds = job.evaluation_seeds
    with closing(job.kit), closing(open_for(job.env.eval_source, len(seeds))) as slots:
        score = evaluate(slots, job.kit.expert, seeds, np.random.default_rng(seeds[0]))
    settings, simulators = settings_of(job)
    found = f"{score.mean:.3f} ± {score.std:.3f}, {score.failures} failures"
    print(f"{env}, {job.kit.expert.card.name}: {found}", flush=True)
    return job.kit.expert.card.identity, {
        "env": settings,
        "simulators": simulators,
        "seeds": [seeds.start, seeds.stop],
        "returns": score.returns.tolist(),
        "lengths": score.lengths.tolist(),
        "failed": score.seeds[score.failed].tolist(),
    }


def main(words: Sequence[str]) -> int:
    given = dict(word.partition("=")[::2] for word in words)
    envs = given.pop("env", ",".join(ENVS)).split(",")
    out = Path(given.pop("out", PATH))
    if given or set(envs) - set(ENVS):
        print(__doc__)
        return 2
    table = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    table |= dict(played(env, expert) for env in envs for expert in experts(env))
    by_name = sorted(table.items(), key=lambda item: str(item[1]["env"]["name"]))
    lines = [f"{json.dumps(digest)}: {json.dumps(found)}" for digest, found in by_name]
    out.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
