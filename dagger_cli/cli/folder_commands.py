"""Commands on folders of runs: `report`, `runs`, `compare`, `tb`, and `bench`, which makes them.

Those on data sets and on answers in files are in data_commands.py.

They compose no config, so Hydra is not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dagger_cli.cli.data_commands import (
    ANSWER_HELP,
    ASK_HELP,
    DATA_HELP,
    run_answer,
    run_ask,
    run_data,
)
from dagger_cli.cli.plain_words import read_words
from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.system import at_home

HELP = {
    "report": """\
dagger report: tables, figures and statistics of runs on one page

Usage:
  dagger report PATH [PATH] ... [out=FOLDER]

PATH is a run, a sweep, a folder of them, a pattern such as 'SWEEP/*_sup_*', or latest: the newest
run, or the sweep of which it is a job. Writes report.html (one file that loads nothing), report.md,
report.csv and figures/ to FOLDER, by default PATH/report for one path, else outputs/reports/TIME.

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
    "data": DATA_HELP,
    "ask": ASK_HELP,
    "answer": ANSWER_HELP,
    "bench": """\
dagger bench: all trainers with several seeds on several tasks, and a report

Usage:
  dagger bench [SET] [tasks=A,B] [trainers=A,B] [seeds=0,1] [add=TRAINER] [out=FOLDER]
               [key=value or flag of dagger train] ...

SET is all (conf/bench/all.yaml) by default, or the path of a YAML file like it. Each task is a
sweep in outputs/bench/SET/TASK; given again, the command runs what is missing or was interrupted.
add= adds trainers, also of a plug-in or a --config-dir. Other words go to dagger train.

Examples:
  dagger bench
  dagger bench tasks=cartpole seeds=0,1 add=lazy_dagger --config-dir mine
  dagger bench hydra/launcher=joblib
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


def _bench(words: list[str]) -> int:
    named = bool(words) and "=" not in words[0] and not words[0].startswith("-")
    name, rest = (words[0], words[1:]) if named else ("all", words)
    own = {
        key: value for key, _, value in (word.partition("=") for word in rest) if key in _OF_BENCH
    }
    from dagger_cli.commands.bench import chosen, folder_of, run_bench
    from dagger_cli.config.bench import read_bench

    out = own.pop("out", None)
    part = chosen(read_bench(name), **{key: own.get(key) for key in _OF_BENCH if key != "out"})
    others = [word for word in rest if word.partition("=")[0] not in _OF_BENCH]
    return run_bench(part, folder_of(name), others, None if out is None else at_home(out))


def _folders(paths: list[str]) -> list[Path]:
    """Returns the folders that are named, outputs/ without any."""
    from dagger_cli.report.find import existing
    from dagger_cli.tracking.latest import OUTPUTS

    return existing(paths or [OUTPUTS])


_OF_BENCH = ("tasks", "trainers", "seeds", "add", "out")  # keys that do not go to dagger train
COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "report": _report,
    "runs": _runs,
    "compare": _compare,
    "tb": _tb,
    "bench": _bench,
    "data": run_data,
    "ask": run_ask,
    "answer": run_answer,
}
