"""Commands on data sets and on labels in files: `data export|show`, `ask`, `answer`.

They compose no config of their own.
"""

from __future__ import annotations

from pathlib import Path

from dagger_cli.cli.plain_words import Words, read_words
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import one_of
from dagger_cli.tracking.latest import with_latest
from dagger_cli.utils.system import at_home

DATA_HELP = """\
dagger data: labelled rows of runs as data sets of other programs

Usage:
  dagger data export run=PATH format=FORMAT path=PATH [trust=PACKAGE]
  dagger data push run=PATH repo_id=USER/NAME [format=FORMAT] [private=true] [trust=PACKAGE]
  dagger data show path=PATH

FORMAT is npz, parquet (extra: data), minari (extra: minari) or lerobot (extra: data). Rows have
what was observed, the expert's action, the executed one, who acted, reward, end, episode, round,
beta and the policy's digest: docs/data.md. show reads these formats and imitation's. push uploads
parquet, lerobot or npz with a card to the Hugging Face Hub, as `dagger push` does with policies.

Examples:
  dagger data export run=outputs/cartpole/dagger/TIME format=npz path=cartpole.npz
  dagger data show path=cartpole.npz
  dagger train env=cartpole trainer=sup expert=dataset expert.path=cartpole.npz
"""


def run_data(words: list[str]) -> int:
    """Runs `dagger data export` or `dagger data show`."""
    word, rest = (words[0], words[1:]) if words else ("", [])
    if word == "export":
        return _export(rest)
    if word == "push":
        return _push(rest)
    if word == "show":
        given = read_words("data show", rest, keys=("path",))
        from dagger_cli.commands.data import show_data

        show_data(at_home(needed(given, "data show", "path")))
        return 0
    known = "export, push and show"
    if not word:
        raise ConfigError(f"dagger data needs one of its commands: {known}; see dagger data --help")
    raise ConfigError(f"dagger data has no command '{word}': it has {known}")


def _export(words: list[str]) -> int:
    keys = ("run", "format", "path", "trust")
    given = read_words("data export", words, keys=keys)
    run, form, path = (needed(given, "data export", key) for key in keys[:3])
    from dagger_cli.commands.data import export_run

    export_run(run_path(run), form, at_home(path), _trust(given))
    return 0


def _push(words: list[str]) -> int:
    keys = ("run", "repo_id", "format", "private", "trust")
    given = read_words("data push", words, keys=keys)
    run, repo_id = (needed(given, "data push", key) for key in keys[:2])
    private = given.one("private") or "false"
    one_of("private", private, ("true", "false"))
    from dagger_cli.commands.data_push import push_data

    push_data(
        run_path(run),
        repo_id,
        given.one("format") or "parquet",
        private=private == "true",
        trust=_trust(given),
    )
    return 0


def _trust(given: Words) -> tuple[str, ...]:
    """Returns the packages of `trust=a,b` or `trust=[a,b]`."""
    return tuple(name.strip("[]") for word in given.all("trust") for name in word.split(","))


def run_path(given: str) -> Path:
    """Returns the path of a run, also of `latest`."""
    return with_latest(at_home(given), Path())


def needed(given: Words, command: str, key: str) -> str:
    """Returns the value of a key; raises ConfigError without one, and for paths without a key."""
    if given.paths:
        raise ConfigError(f"'{given.paths[0]}' is not key=value: give {key}=...")
    value = given.one(key)
    if value is None:
        raise ConfigError(f"dagger {command} needs {key}=...; see dagger {command} --help")
    return value


ASK_HELP = """\
dagger ask: which states of a run with expert=file wait for labels

Usage:
  dagger ask run=PATH

Shows the round, the files, what has been answered by whom, and how far answers agree.
"""
ANSWER_HELP = """\
dagger answer: takes labels for the states of a run with expert=file

Usage:
  dagger answer run=PATH file=FILE [by=NAME]

FILE is .csv, .npz or .parquet with the columns row, state and action (or action_0, action_1, ...),
for all of the states or some. by= is the file's name by default; a second file of a name replaces
its answers to the same rows. Of several names the labels are the mean (real numbers) or the most
frequent answer. docs/labelling_by_file.md
"""


def run_ask(words: list[str]) -> int:
    """Runs `dagger ask`."""
    given = read_words("ask", words, keys=("run",))
    from dagger_cli.commands.ask import ask

    ask(run_path(needed(given, "ask", "run")))
    return 0


def run_answer(words: list[str]) -> int:
    """Runs `dagger answer`."""
    given = read_words("answer", words, keys=("run", "file", "by"))
    from dagger_cli.commands.ask import answer

    run, file = (needed(given, "answer", key) for key in ("run", "file"))
    answer(run_path(run), at_home(file), given.one("by"))
    return 0
