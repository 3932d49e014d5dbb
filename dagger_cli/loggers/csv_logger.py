"""`logger=csv`: the scalars of each round as a table."""

from __future__ import annotations

import csv
import io

from dagger_cli.loggers.interface import RunInfo
from dagger_cli.loop.run import Round
from dagger_cli.tracking.metrics import MAX_BYTES, scalars
from dagger_cli.tracking.run_paths import TABLE
from dagger_cli.utils.files import read_bytes, write_text


class CsvLogger:
    """Writes metrics.csv in the run folder, one row per round.

    New columns may appear in any round (regret in the second), so the file is rewritten each time;
    missing values are empty.
    """

    def start(self, run: RunInfo) -> None:
        """Reads the rows of earlier rounds, where a run is resumed."""
        self._path = run.folder / TABLE
        self._rows: list[dict[str, object]] = []
        if run.round and self._path.is_file():
            text = read_bytes(self._path, MAX_BYTES).decode(errors="replace")
            table = csv.DictReader(io.StringIO(text, newline=""))
            rows = [row for row in table if (row.get("round") or "").isdecimal()]
            self._rows = [dict(row) for row in rows if int(row["round"]) <= run.round]

    def log(self, finished: Round) -> None:
        """Adds a row and writes the file."""
        self._rows.append({"round": finished.state.round, **scalars(finished)})
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self._path, text.getvalue())
