"""The `dagger` command: picks the root config, hands over to Hydra, and reports what went wrong."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from dagger_cli import __version__

HELP = f"""\
dagger {__version__}: train a policy by interactive imitation

Usage:
  dagger train [group=option] [key=value] ...   roll out, ask the expert, fit, repeat
  dagger eval checkpoint=PATH [key=value] ...   score, show or film what was trained
  dagger eval checkpoint=expert env=NAME        score the expert itself
  dagger expert list|show|score|fetch|convert   the experts of an environment
  dagger push checkpoint=PATH repo_id=USER/NAME upload a student to the Hugging Face Hub
  dagger export checkpoint=PATH format=sb3|onnx|torchscript path=FILE
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


EXPERT_HELP = """\
dagger expert: the experts of an environment, with the groups env= and expert= of dagger train

Usage:
  dagger expert list env=NAME                       bundled, trained here, cached, on the Hub
  dagger expert show env=NAME [expert=...]          who it is: source, digest, network, score
  dagger expert score env=NAME [expert=...]         play it, compare with its published score
  dagger expert fetch env=NAME [expert.algo=ALGO]   download from the Hub, keep as safetensors
  dagger expert convert env=NAME expert.path=PATH out=FOLDER

Examples:
  dagger expert list env=bipedal
  dagger expert score env=bipedal expert.algo=ppo episodes=20
  dagger expert fetch env=lunarlander out=experts/lander

More:
  dagger expert score --help    every key of that command with its default
"""


def main() -> None:
    """Entry point; exits with 0, or with 2 after one sentence about what the user can fix."""
    words = sys.argv[1:]
    if "--traceback" in words:
        words.remove("--traceback")
        os.environ["DAGGER_TRACEBACK"] = "1"
    if not words or words[0] in ("--help", "-h", "help"):
        _show(_help())
    elif words[0] == "expert" and words[1:2] in ([], ["--help"], ["-h"], ["help"]):
        _show(EXPERT_HELP)
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
        _close_stdout()


def _close_stdout() -> None:
    """So that Python does not complain of the broken pipe when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help() -> str:
    from dagger_cli.config.options import options

    rows = [f"  {group:<14} {', '.join(names)}" for group, names in options().items()]
    return HELP.format(groups="\n".join(rows))


def _guarded(words: Sequence[str]) -> int:
    """Run a command; every failure that a user can mend becomes one sentence and exit code 2."""
    from dagger_cli.cli.error_messages import explain

    gc.set_threshold(100_000)  # imports make hardly any garbage; looking for it took 0.2 s
    try:
        two = words[0] == "expert"
        code = _command(" ".join(words[: 1 + two]), list(words[1 + two :]))
        sys.stdout.flush()
        gc.freeze()  # or the interpreter collects once more before it ends, for 0.3 s
        return code
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _close_stdout()
        return 141  # as of a program that the broken pipe ended
    except Exception as err:
        sentence = explain(err)
        if sentence is None or os.environ.get("DAGGER_TRACEBACK") == "1":
            raise
        print(f"dagger: {sentence}", file=sys.stderr)
        return 2


def _command(command: str, words: list[str]) -> int:
    from dagger_cli.cli.error_messages import nearest
    from dagger_cli.config.options import COMMANDS
    from dagger_cli.core.errors import ConfigError

    if command not in COMMANDS:
        raise ConfigError(
            f"there is no command '{command}'{nearest(command, COMMANDS)} "
            f"({', '.join(COMMANDS)}; dagger --help)"
        )
    from dagger_cli.cli.hydra_app import run

    return run(command, words)


def _complete(words: list[str]) -> None:
    """Hydra completes `dagger <overrides>`; the command word is taken out of the line it sees."""
    from dagger_cli.cli.completion import complete

    complete(words)


if __name__ == "__main__":
    main()
