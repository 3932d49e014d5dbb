"""`dagger report`: compares runs on one page, with tables, figures and statistics."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from dagger_cli.report.blocks import figures_in
from dagger_cli.report.build import report_blocks
from dagger_cli.report.figure_style import styled
from dagger_cli.report.find import runs_below
from dagger_cli.report.page_csv import table
from dagger_cli.report.page_html import html
from dagger_cli.report.page_markdown import markdown
from dagger_cli.report.run_record import read_run
from dagger_cli.report.started_with import started_with
from dagger_cli.tracking.latest import OUTPUTS
from dagger_cli.tracking.run_paths import check_inside
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import shown_path, write_bytes, write_text

HTML, MARKDOWN, TABLE, FIGURES = "report.html", "report.md", "report.csv", "figures"


def report(folders: Sequence[Path], out: Path | None) -> Path:
    """Writes the report on all runs in these folders; returns its folder.

    Raises CheckpointError where a link in a folder would have it written elsewhere.
    """
    runs = [read_run(folder) for folder in runs_below(folders)]
    out = _default(folders) if out is None else out
    check_inside(out / FIGURES, out)
    title = ", ".join(shown_path(folder) for folder in folders[:3])
    title = f"Report on {title}" + (f" and {len(folders) - 3} more" if len(folders) > 3 else "")
    with styled():
        blocks = report_blocks(runs, title, out, started_with(folders))
    files = {HTML: html(blocks, title), MARKDOWN: markdown(blocks), TABLE: table(runs)}
    with writing(out):
        (out / FIGURES).mkdir(parents=True, exist_ok=True)
        for figure in figures_in(blocks):
            write_text(out / FIGURES / f"{figure.name}.svg", figure.svg)
            write_bytes(out / FIGURES / f"{figure.name}.png", figure.png)
        for name, text in files.items():
            write_text(out / name, text)
    print(f"{len(runs)} run{'s' * (len(runs) != 1)}: {shown_path(out / HTML)}")
    return out


def _default(folders: Sequence[Path]) -> Path:
    if len(folders) == 1:
        check_inside(folders[0] / "report", folders[0])  # the folder may come from elsewhere
        return folders[0] / "report"
    return Path(OUTPUTS) / "reports" / time.strftime("%Y-%m-%d_%H-%M-%S")
