"""The command line; `main` is its entry point, also for programs that call it themselves."""

from dagger_cli.cli.main import main

__all__ = ["main"]
