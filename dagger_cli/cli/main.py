"""Entry point of the command `dagger`: runs a command under Hydra and reports errors."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from dagger_cli import __version__
from dagger_cli.cli.help import EXPERT_HELP, help_text
from dagger_cli.cli.process import (
    check_current_folder,
    close_stdout,
    end_on_signals,
    open_streams,
)
from dagger_cli.core.errors import Terminated


def main() -> None:
    """Runs the command line; exits with 2 after one sentence on an error."""
    # NumPy's products have few rows here, and threads beside those of simulators are slow.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    open_streams()
    words = sys.argv[1:]
    if "--traceback" in words:
        words.remove("--traceback")
        os.environ["DAGGER_TRACEBACK"] = "1"
    if code := _guarded(words):
        sys.exit(code)


def _run(words: list[str]) -> int:
    if not words or words[0] in ("--help", "-h", "help"):
        print(help_text(words))
    elif words[0] == "expert" and words[1:2] in ([], ["--help"], ["-h"], ["help"]):
        print(EXPERT_HELP)
    elif "--version" in words:
        print(f"dagger-cli {__version__}")
    elif "-sc" in words or "--shell_completion" in words:
        _complete(words)
    else:
        check_current_folder()
        end_on_signals()
        two = words[0] == "expert"
        return _command(" ".join(words[: 1 + two]), list(words[1 + two :]))
    return 0


def _guarded(words: list[str]) -> int:
    """Runs a command; an error that the user can fix becomes one sentence and exit code 2."""
    gc.set_threshold(100_000)  # imports create little garbage; collection took 0.2 s
    try:
        code = _run(words)
        sys.stdout.flush()
        gc.freeze()  # otherwise a last collection at exit takes 0.3 s
        return code
    except Terminated as ended:
        _say("\nterminated")
        return 128 + ended.signal
    except KeyboardInterrupt:
        _say("\ninterrupted")
        return 130
    except BrokenPipeError:
        close_stdout()
        return 141  # exit code of a program ended by SIGPIPE
    except Exception as err:
        from dagger_cli.cli.error_messages import explain

        sentence = explain(err)
        if sentence is None or os.environ.get("DAGGER_TRACEBACK") == "1":
            raise
        _say(f"dagger: {sentence}")
        return 2


def _say(text: str) -> None:
    """Prints to stderr; an unwritable stderr does not change the exit code."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _command(command: str, words: list[str]) -> int:
    from dagger_cli.config.options import COMMANDS, FOLDER_COMMANDS
    from dagger_cli.core.errors import ConfigError

    if command in FOLDER_COMMANDS:
        from dagger_cli.cli.folder_commands import run_folder_command

        return run_folder_command(command, words)
    if command not in COMMANDS:
        from dagger_cli.cli.error_messages import nearest

        raise ConfigError(
            f"there is no command '{command}'{nearest(command, COMMANDS)} "
            f"({', '.join(COMMANDS)}; dagger --help)"
        )
    from dagger_cli.cli.run import run

    return run(command, words)


def _complete(words: list[str]) -> None:
    """Completes a line; Hydra only completes overrides, so the command is removed first."""
    from dagger_cli.cli.completion import complete

    complete(words)


if __name__ == "__main__":
    main()
