"""The list of `dagger runs`: a table where it fits, otherwise a few short lines per run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence

from dagger_cli.report.progress import Progress, age
from dagger_cli.report.words import digits_for, number, percent
from dagger_cli.utils.files import plain
from dagger_cli.utils.terminal import printable

_COLUMNS = ("run", "env", "trainer", "seed", "swept", "status", "labels", "return", "expert", "age")
_NUMBERS = 4  # of the columns, the last ones
_GAP = "  "
_NOTE = "~ the highest validation return so far, not one of the final table"


def lines(runs: Sequence[Progress], width: int | None, time: float) -> Iterator[str]:
    """Yields the lines of the list; `width` is None where there is no limit, as in a pipe."""
    table = [_COLUMNS, *(_cells(run, time) for run in runs)]
    if not any(run.swept for run in runs):
        where = _COLUMNS.index("swept")
        table = [(*row[:where], *row[where + 1 :]) for row in table]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    if width is None or sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        for row in table:
            yield _line(row, widths)
    else:
        for row in table[1:]:
            yield from _stacked(row, width)
    if any(run.validation and not math.isnan(run.value) for run in runs):
        yield from _filled(_NOTE.split(" "), width, "")


def json_line(run: Progress) -> str:
    """Returns a run as one line of JSON; unknown numbers are null."""
    values = {**vars(run), "return": run.value}
    del values["value"]
    values["seed"] = int(run.seed) if run.seed.isdecimal() and len(run.seed) < 20 else run.seed
    values["labels"] = int(run.labels) if math.isfinite(run.labels) else None
    return json.dumps(plain(values))


def _cells(run: Progress, time: float) -> tuple[str, ...]:
    value = number(run.value, digits_for([run.value]))
    texts = (
        run.folder,
        run.env,
        run.trainer,
        run.seed,
        run.swept,
        run.state,
        number(run.labels, 0),
        f"~{value}" if run.validation and not math.isnan(run.value) else value,
        percent(run.share),
        age(time - run.changed),
    )
    return tuple(printable(" ".join(text.split())) for text in texts)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = len(row) - _NUMBERS
    sides = (str.ljust if i < first else str.rjust for i in range(len(row)))
    cells = (side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True))
    return _GAP.join(cells)


def _stacked(row: Sequence[str], width: int) -> Iterator[str]:
    """Yields the folder on a line of its own, never broken, and the rest below it."""
    folder, env, trainer, seed, *swept, status, labels, value, share, old = row
    yield folder
    own = [word for words in swept for word in words.split()]
    parts = [env, trainer, f"seed {seed}", *own, status, f"{labels} labels", f"return {value}"]
    yield from _filled([*parts, f"{share} of the expert", f"{old} ago"], width, _GAP)


def _filled(parts: Sequence[str], width: int | None, indent: str) -> Iterator[str]:
    """Yields parts with gaps between them, as many as fit on a line."""
    gap = _GAP if indent else " "
    line = ""
    for part in parts:
        longer = f"{line}{gap if line else indent}{part}"
        if line and width is not None and len(longer) > width:
            yield line
            longer = f"{indent}{part}"
        line = longer
    yield line
