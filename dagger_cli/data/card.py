"""Card of a data set on the Hub."""

from __future__ import annotations

from dagger_cli.core.types import Array
from dagger_cli.data.episodes import COLUMNS, FULL, Episodes

_CARD = """\
---
tags: [imitation-learning, dagger, dagger-cli, reinforcement-learning{tag}]
task_categories: [reinforcement-learning]
{files}---

# Labelled states of {env_id}

{steps:,} steps in {episodes:,} episodes of {env_id} with an expert's action in every state, written
by [dagger-cli](https://pypi.org/project/dagger-cli/) {version} from the run `{source}`. The student
saw: {view}. {actors}

| column | type | meaning |
|---|---|---|
{columns}

{note}## How to use it

```
hf download {repo_id} --repo-type dataset --local-dir {name}
dagger data show path={path}
dagger train env={env_name} trainer=sup expert=dataset expert.path={path}
dagger train env={env_name} trainer.demonstrations={path}
```
"""


def card_text(
    repo_id: str, episodes: Episodes, *, env_name: str, version: str, format: str, file: str
) -> str:
    """Returns the text of README.md; `file` is what `dagger` reads, empty for the whole folder."""
    name = repo_id.partition("/")[2]
    columns = episodes.columns
    files = f"configs: [{{config_name: default, data_files: {file}}}]\n"
    return _CARD.format(
        tag=", LeRobot" if format == "lerobot" else "",
        files=files if format == "parquet" else "",
        env_id=episodes.about.env_id,
        steps=len(episodes),
        episodes=episodes.n_episodes,
        version=version,
        source=episodes.about.source,
        view="everything" if episodes.about.view == FULL else episodes.about.view or "not named",
        actors=_actors(episodes),
        columns="\n".join(f"| `{n}` | {_type(c)} | {COLUMNS[n]} |" for n, c in columns.items()),
        note=_NOTE if format == "lerobot" else "",
        repo_id=repo_id,
        name=name,
        path=f"{name}/{file}".rstrip("/"),
        env_name=env_name,
    )


_NOTE = """\
The layout is LeRobot's v3.0: `action` is the expert's action, `executed_action` what was executed.

"""


def _actors(episodes: Episodes) -> str:
    acted = episodes.columns.get("from_expert")
    return "" if acted is None else f"The expert acted in {acted.mean():.1%} of the steps."


def _type(column: Array) -> str:
    shape = " x ".join(map(str, column.shape[1:]))
    kind = "text" if column.dtype.kind == "U" else column.dtype.name
    return f"{kind}, {shape}" if shape else kind
