"""The list of `dagger runs`: a table where it fits, otherwise a few short lines per run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence

from dagger_cli.report.progress import Progress, age
from dagger_cli.report.words import digits_for, number, percent
from dagger_cli.utils.files import plain
from dagger_cli.utils.terminal import printable

_COLUMNS = ("run", "env", "trainer", "seed", "status", "labels", "return", "expert", "age")
_GAP = "  "
_NOTE = "~ the highest validation return so far, not one of the final table"


def lines(runs: Sequence[Progress], width: int | None, time: float) -> Iterator[str]:
    """Yields the lines of the list; `width` is None where there is no limit, as in a pipe."""
    rows = [_cells(run, time) for run in runs]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    if width is None or sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        for row in (_COLUMNS, *rows):
            yield _line(row, widths)
    else:
        for row in rows:
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
        run.state,
        number(run.labels, 0),
        f"~{value}" if run.validation and not math.isnan(run.value) else value,
        percent(run.share),
        age(time - run.changed),
    )
    return tuple(printable(" ".join(text.split())) for text in texts)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    texts = [cell.ljust(width) for cell, width in zip(row[:5], widths[:5], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(row[5:], widths[5:], strict=True)]
    return _GAP.join([*texts, *numbers])


def _stacked(row: Sequence[str], width: int) -> Iterator[str]:
    """Yields the folder on a line of its own, never broken, and the rest below it."""
    folder, env, trainer, seed, status, labels, value, share, old = row
    yield folder
    parts = [env, trainer, f"seed {seed}", status, f"{labels} labels", f"return {value}"]
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
