"""The command line: `from dagger_cli.cli import main` is its entry point, for other programs."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Imported late, so that `python -m dagger_cli.cli.main` does not find it imported already.
    if name != "main":
        raise AttributeError(name)
    from dagger_cli.cli.main import main

    globals()["main"] = main  # instead of the module
    return main
