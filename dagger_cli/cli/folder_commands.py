"""Commands on folders of runs, whose words are paths: `report`, `runs`, `compare`, `tb`.

They compose no config, so Hydra is not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dagger_cli.cli.plain_words import read_words
from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.system import at_home

HELP = {
    "report": """\
dagger report: tables, figures and statistics of runs on one page

Usage:
  dagger report PATH [PATH] ... [out=FOLDER]

PATH is a run, a sweep, a folder of them, a pattern such as 'SWEEP/*_sup_*', or latest. Writes
report.html (one file that loads nothing), report.md, report.csv and figures/ to FOLDER, by default
PATH/report for one path, else outputs/reports/TIME.

Examples:
  dagger report outputs/cartpole
  dagger report outputs/cartpole/SWEEP outputs/bipedal/SWEEP out=both
""",
    "runs": """\
dagger runs: lists runs, newest first

Usage:
  dagger runs [PATH] ... [env=NAME] [trainer=NAME] [status=STATUS] [--json]

PATH is outputs by default. STATUS is finished, stopped, running, pruned (by a search), failed or
damaged. --json prints one object per run, one per line.

Examples:
  dagger runs
  dagger runs outputs/cartpole trainer=dagger status=stopped
""",
    "compare": """\
dagger compare: two runs, sweeps or groups, paired by seed

Usage:
  dagger compare A B
  dagger compare PATH GROUP GROUP

A and B are runs, sweeps, folders of them or patterns such as 'SWEEP/*_sup_*'. GROUP is a name in
the tables of dagger report, such as dagger, of the runs in PATH; with PATH alone, it must have two.

Examples:
  dagger compare outputs/cartpole/SWEEP dagger sup
  dagger compare outputs/cartpole/dagger outputs/cartpole/sup
""",
    "tb": """\
dagger tb: starts TensorBoard on runs

Usage:
  dagger tb [PATH] ... [--port N] [any other flag of tensorboard]

PATH is outputs by default. What follows the first flag is passed on to TensorBoard.

Examples:
  dagger tb
  dagger tb outputs/cartpole/SWEEP --port 6007
""",
}


def run_folder_command(command: str, words: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    if any(word in ("--help", "-h") for word in words):
        print(HELP[command], end="")
        return 0
    return COMMANDS[command](list(words))


def _report(words: list[str]) -> int:
    given = read_words("report", words, keys=("path", "out"))
    paths = [*given.paths, *given.all("path")]
    if not paths:
        raise ConfigError("dagger report needs runs: dagger report PATH ..., such as outputs")
    from dagger_cli.commands.report import report
    from dagger_cli.report.find import existing

    out = given.one("out")
    report(existing(paths), None if out is None else at_home(out))
    return 0


def _runs(words: list[str]) -> int:
    from dagger_cli.commands.runs import FILTERS, runs

    given = read_words("runs", words, keys=("path", *FILTERS), flags=("--json",))
    filters = {key: value for key, value in given.values if key in FILTERS}
    runs(_folders([*given.paths, *given.all("path")]), filters, as_json="--json" in given.flags)
    return 0


def _compare(words: list[str]) -> int:
    given = read_words("compare", words, keys=("path",))
    from dagger_cli.commands.compare import compare

    compare([*given.paths, *given.all("path")])
    return 0


def _tb(words: list[str]) -> int:
    first = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    from dagger_cli.commands.tb import tensorboard

    return tensorboard(_folders(words[:first]), words[first:])


def _folders(paths: list[str]) -> list[Path]:
    """Returns the folders that are named, outputs/ without any."""
    from dagger_cli.report.find import existing
    from dagger_cli.tracking.latest import OUTPUTS

    return existing(paths or [OUTPUTS])


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "report": _report,
    "runs": _runs,
    "compare": _compare,
    "tb": _tb,
}
