"""report.csv: one row per run."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from dagger_cli.report.groups import PARTS, Measured, sections
from dagger_cli.report.run_record import RunRecord
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.terminal import printable

_FORMULAS = ("=", "+", "-", "@", "\t")  # a spreadsheet would evaluate such a text


def table(runs: Sequence[RunRecord]) -> str:
    """Returns the table: settings that differ, scores and measures; empty where unknown."""
    parts = sections(runs)
    known = {id(m.run): (g.name, m) for p in parts for g in p.groups for m in g.runs}
    keys = list(dict.fromkeys(key for part in parts for key in part.keys))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    reached = [f"labels_to_{100 * part:g}" for part in PARTS]
    head = ["folder", "env", "group", "trainer", "seed", "status", "round", "rounds", "labels"]
    head += ["env_steps", "return", "expert", "share", *reached, "area", "seconds", "error", *keys]
    writer.writerow(head)
    for run in runs:
        found = known.get(id(run))
        scores = _scores(found[1]) if found else [""] * (7 + len(PARTS))
        own = [_safe(run.settings.get(key, "")) for key in keys]
        writer.writerow(
            [*_identity(run, found), *scores, _safe(run.damaged or run.job.error or ""), *own]
        )
    return text.getvalue()


def _identity(run: RunRecord, found: tuple[str, Measured] | None) -> list[object]:
    name = found[0] if found else ""
    texts = [shown_path(run.folder), run.env, name, run.trainer, run.seed, run.status]
    return [*map(_safe, texts), run.round, run.rounds if run.rounds is not None else ""]


def _scores(one: Measured) -> list[object]:
    final = one.run.final
    steps, seconds = ("", "") if final is None else (final.env_steps, final.seconds)
    reached = [_cell(one.labels_to(part)) for part in PARTS]
    numbers = [_cell(value) for value in (one.final, one.expert, one.share)]
    return [_cell(one.run.labels), steps, *numbers, *reached, _cell(one.area), seconds]


def _cell(value: float) -> object:
    if math.isnan(value):
        return ""
    return "never" if math.isinf(value) else int(value) if value == int(value) else value


def _safe(text: str) -> str:
    one_line = printable(" ".join(text.split()))
    return f"'{one_line}" if one_line.startswith(_FORMULAS) else one_line
