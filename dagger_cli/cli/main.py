"""Entry point of the command `dagger`: runs a command under Hydra and reports errors."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from dagger_cli import __version__
from dagger_cli.cli.help import EXPERT_HELP, help_text


def main() -> None:
    """Runs the command line; exits with 0, or with 2 after one sentence on an error."""
    words = sys.argv[1:]
    if "--traceback" in words:
        words.remove("--traceback")
        os.environ["DAGGER_TRACEBACK"] = "1"
    if not words or words[0] in ("--help", "-h", "help"):
        _show(help_text(words))
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
    except BrokenPipeError:  # as in `dagger --help | head`
        _close_stdout()


def _close_stdout() -> None:
    """Redirects stdout to null, so that Python prints no error on the broken pipe at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _guarded(words: Sequence[str]) -> int:
    """Runs a command; an error that the user can fix becomes one sentence and exit code 2."""
    from dagger_cli.cli.error_messages import explain

    gc.set_threshold(100_000)  # imports create little garbage; collection took 0.2 s
    try:
        two = words[0] == "expert"
        code = _command(" ".join(words[: 1 + two]), list(words[1 + two :]))
        sys.stdout.flush()
        gc.freeze()  # otherwise a last collection at exit takes 0.3 s
        return code
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _close_stdout()
        return 141  # exit code of a program ended by SIGPIPE
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
    """Completes a line; Hydra only completes overrides, so the command is removed first."""
    from dagger_cli.cli.completion import complete

    complete(words)


if __name__ == "__main__":
    main()
