"""The README.md beside states that wait for labels."""

from __future__ import annotations

from pathlib import Path

from dagger_cli.core.types import Array, Space
from dagger_cli.utils.files import shown_path


def action_in_words(space: Space) -> str:
    """Returns which actions there are."""
    if space.kind == "discrete":
        return (
            f"`action`: one whole number from {space.start} to {space.start + space.sizes[0] - 1}"
        )
    size = space.size
    names = "`action`" if size == 1 and not space.shape else f"`action_0` to `action_{size - 1}`"
    if space.kind == "box":
        bounds = "; ".join(
            f"{low:g} to {high:g}" for low, high in zip(space.low, space.high, strict=True)
        )
        return f"{names}: real numbers, in the ranges {bounds}"
    choices = "; ".join(f"{space.start} to {space.start + n - 1}" for n in space.sizes)
    return f"{names}: whole numbers, in the ranges {choices}"


def readme(folder: Path, actions: Space, obs: Array, n: int, *, pictures: bool, table: bool) -> str:
    """Returns the text."""
    run = shown_path(folder.parent.parent)
    shape = " x ".join(map(str, obs.shape[1:])) or "1"
    files = [f"`states.npz`: the {n:,} states (numpy; `allow_pickle=False`)"]
    if table:
        files.append("`states.csv`: the same as a table")
    if pictures:
        files.append("`pictures/row_000012.png`: what is seen in row 12")
    listed = "\n".join(f"- {line}" for line in files)
    return f"""\
# {n:,} states wait for labels ({folder.name.replace("_", " ")})

Wanted: for every state the action that an expert would take in it.

{listed}

| column | meaning |
|---|---|
| `row` | number of the state, from 0 |
| `state` | digest of the state: copy it to the answer |
| `step` | env steps taken in the episode before |
| `observation` | what the student sees, {obs.dtype}, {shape} |
| `privileged` | in states.npz, where there is more to see than the student does |

An answer is a file .csv, .npz or .parquet with the columns `row`, `state` and

- {action_in_words(actions)}

in .npz and .parquet also as one column `action` of arrays. Some of the rows are enough to begin
with, several people may answer, and a second file of the same name replaces single rows.

```
dagger answer run={run} file=FILE by=NAME
dagger ask run={run}
dagger train resume={run}
```
"""
