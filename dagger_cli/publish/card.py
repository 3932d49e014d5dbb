"""Model card of a trained policy: training, scores, and commands that load it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dagger_cli.utils.curve import Point
from dagger_cli.views.words import in_words

_CARD = """\
---
{metadata}---

# {trainer} student for {env_id}

A policy trained with [dagger-cli](https://pypi.org/project/dagger-cli/) by interactive imitation
learning from the expert **{expert}** ({source}).

{scores}
{video}{curve}
{view}## How to use it

As an expert for the same environment:

```
dagger train env={env_name} expert=hub expert.repo_id={repo_id}
dagger expert score env={env_name} expert=hub expert.repo_id={repo_id}
```

As a policy:

```
hf download {repo_id} --local-dir {name}
dagger eval checkpoint={name}
dagger export checkpoint={name} format=onnx path={name}.onnx  # if the policy is a single network
```

## How it was trained

Round {round} of {trainer}, {labels:,} expert labels, {env_steps:,} environment steps, seed {seed},
dagger-cli {version}. The complete config (`config.yaml`):

```yaml
{config}```
"""


def card_text(
    repo_id: str,
    facts: Mapping[str, Any],
    expert: Mapping[str, Any],
    config: Mapping[str, Any],
    scores: Mapping[str, Mapping[str, Any]],
    points: Sequence[Point],
    *,
    video: bool,
) -> str:
    """Returns the text of README.md.

    `scores` has the rows `student` and `expert` of the run's final table; empty without one.
    """
    import yaml

    name = repo_id.partition("/")[2]
    return _CARD.format(
        metadata=yaml.safe_dump(_metadata(repo_id, facts, scores), sort_keys=False),
        trainer=facts["trainer"],
        env_id=facts["trained_in"],
        env_name=_env_words(config["env"]),
        expert=expert["name"],
        source=expert["source"],
        scores=_scores(scores),
        video="![replay](replay.mp4)\n\n" if video else "",
        curve=_curve(points),
        view=_view(config.get("view", {})),
        repo_id=repo_id,
        name=name,
        round=facts["round"],
        labels=facts["labels"],
        env_steps=facts["env_steps"],
        seed=config["seed"],
        version=facts["dagger_version"],
        config=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
    )


def _env_words(env: Mapping[str, Any]) -> str:
    """Returns the value of env= that selects this environment on the command line."""
    if env.get("name") != "gym":
        return str(env.get("name"))
    imports = f" env.import={env['imports']}" if isinstance(env.get("imports"), str) else ""
    return f"gym env.id={env['id']}{imports}"


def _metadata(
    repo_id: str, facts: Mapping[str, Any], scores: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    env_id = facts["trained_in"]
    tags = ["dagger-cli", "imitation-learning", "reinforcement-learning", facts["trainer"], env_id]
    metadata: dict[str, Any] = {"library_name": "dagger-cli", "tags": tags}
    student = scores.get("student")
    if student is not None:
        value = f"{student['mean']:.2f} +/- {student['std']:.2f}"
        metric = {"type": "mean_reward", "value": value, "name": "mean_reward", "verified": False}
        task = {"type": "reinforcement-learning", "name": "reinforcement-learning"}
        result = {"task": task, "dataset": {"name": env_id, "type": env_id}, "metrics": [metric]}
        metadata["model-index"] = [{"name": repo_id.partition("/")[2], "results": [result]}]
    return metadata


def _scores(scores: Mapping[str, Mapping[str, Any]]) -> str:
    if not scores:
        return "The run has no final evaluation of this policy, so there is no score.\n"
    rows = [
        "| return | mean | std | standard error | min | failures | episodes |",
        "|---" * 7 + "|",
    ]
    for name, score in scores.items():
        numbers = (f"{score[key]:,.2f}" for key in ("mean", "std", "stderr", "min"))
        rows.append(
            f"| {name} | {' | '.join(numbers)} | {score['failures']} | {score['episodes']} |"
        )
    seeds = next(iter(scores.values())).get("seeds") or []
    told = f"\nSeeds {seeds[0]} to {seeds[-1]}, never used in training.\n" if seeds else ""
    return "\n".join(rows) + "\n" + told


def _view(view: Mapping[str, Any]) -> str:
    words = in_words(view)
    if not words:
        return ""
    keys = {key: value for key, value in view.items() if key not in ("_target_", "name")}
    return (
        "## What it sees\n\nIts observations are not those of the environment, which its expert "
        f"saw, but:\n{words}.\n\n```json\n{json.dumps(keys)}\n```\n\n"
    )


def _curve(points: Sequence[Point]) -> str:
    if not points:
        return ""
    return "![validation return by labels](curve.png)\n\n"
