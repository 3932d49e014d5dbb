"""The `dagger` command: picks the root config, hands over to Hydra, and reports what went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagger_cli import __version__

if TYPE_CHECKING:
    pass

COMMANDS = ("train", "eval")
HELP = f"""\
dagger {__version__}: train a policy by interactive imitation

Usage:
  dagger train [group=option] [key=value] ...   roll out, ask the expert, fit, repeat
  dagger eval checkpoint=PATH [key=value] ...   score, show or film what was trained
  dagger eval checkpoint=expert env=NAME        score the expert itself
  dagger --help | --version

Groups of dagger train (one option of each; beta=... is short for beta_schedule=...):
{{groups}}

Examples:
  dagger train env=bipedal beta=linear
  dagger train env=cartpole trainer=sup labels=2000 seed=3
  dagger train env=gym env.id=MyEnv-v0 env.import=my_envs expert=python expert.target=my_envs.expert
  dagger train -m trainer=sup,dagger seed=0,1,2
  dagger train resume=outputs/bipedal/dagger/TIME rounds=20
  dagger eval checkpoint=outputs/bipedal/dagger/TIME video=walk.mp4 episodes=1

More:
  dagger train --help                  every key with its default
  dagger train ... --cfg job           show the composed config and stop
  eval "$(dagger train -sc install=bash)"   complete groups and options in bash
  --traceback or DAGGER_TRACEBACK=1    the full traceback when something fails
"""


def main() -> None:
    """Entry point; exits with 0, or with 2 after one sentence about what the user can fix."""
    words = sys.argv[1:]
    if "--traceback" in words:
        words.remove("--traceback")
        os.environ["DAGGER_TRACEBACK"] = "1"
    if not words or words[0] in ("--help", "-h", "help"):
        _show(_help())
    elif "--version" in words:
        _show(f"dagger-cli {__version__}")
    elif "-sc" in words or "--shell_completion" in words:
        _complete(words)
    else:
        sys.exit(_guarded(words))


def _show(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # `dagger --help | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help() -> str:
    from dagger_cli.options import options

    rows = [f"  {group:<14} {', '.join(names)}" for group, names in options().items()]
    return HELP.format(groups="\n".join(rows))


def _guarded(words: Sequence[str]) -> int:
    """Run a command; every failure that a user can mend becomes one sentence and exit code 2."""
    from dagger_cli.complaints import explain

    try:
        return _command(words[0], list(words[1:]))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except Exception as err:
        sentence = explain(err)
        if sentence is None or os.environ.get("DAGGER_TRACEBACK") == "1":
            raise
        print(f"dagger: {sentence}", file=sys.stderr)
        return 2


def _command(command: str, words: list[str]) -> int:
    from dagger_cli.complaints import nearest
    from dagger_cli.core.errors import ConfigError

    if command not in COMMANDS:
        raise ConfigError(
            f"there is no command '{command}'{nearest(command, COMMANDS)} "
            "(dagger train, dagger eval, dagger --help)"
        )
    from dagger_cli.hydra_app import run

    return run(command, words)


def _complete(words: list[str]) -> None:
    """Hydra completes `dagger <overrides>`; the command word is taken out of the line it sees."""
    from dagger_cli.hydra_app import complete

    complete(words)


if __name__ == "__main__":
    main()
