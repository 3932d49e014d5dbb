"""The generated pages of the documentation site: commands, options of groups, Python API."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import dagger_cli
from dagger_cli.config.options import COMMANDS, GROUPS, config_dir, options

NOTE = "*Generated from {source} by `make docs`.*"


def pages() -> dict[str, str]:
    """Returns the text of each page by its place in the site."""
    groups = {f"reference/{group}.md": group_page(group) for group in GROUPS}
    return {"reference/commands.md": commands(), "reference/python.md": python(), **groups}


def commands() -> str:
    """Returns the help of every command."""
    parts = ["# Commands", NOTE.format(source="the help of each command"), _block(help_of(()))]
    for command in COMMANDS:
        parts += [f"## dagger {command}", _block(help_of(command.split()))]
    return "\n\n".join(parts) + "\n"


def help_of(words: list[str] | tuple[str, ...]) -> str:
    """Returns what `dagger <words> --help` prints."""
    line = [sys.executable, "-m", "dagger_cli", *words, "--help"]
    plain = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=plain)
    return done.stdout.strip()


def group_page(group: str) -> str:
    """Returns a page with every option of a group: what it is, and its keys with their defaults."""
    parts = [f"# {group}", NOTE.format(source=f"`conf/{group}/`")]
    for option in options()[group]:
        text = (config_dir() / group / f"{option}.yaml").read_text("utf-8")
        about, keys = _split(text)
        parts += [f"## {option}", about, _block(keys, "yaml")]
    return "\n\n".join(part for part in parts if part) + "\n"


def _split(text: str) -> tuple[str, str]:
    """Returns the comment at the top of a YAML file, and the rest."""
    lines = text.splitlines()
    n = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    words = [line.lstrip("# ") for line in lines[:n] if "@package" not in line]
    return " ".join(words), "\n".join(lines[n:])


def python() -> str:
    """Returns signatures and docstrings of the public names."""
    parts = ["# Python API", NOTE.format(source="the docstrings of `dagger_cli`")]
    for name in dagger_cli.__all__:
        value = getattr(dagger_cli, name)
        if callable(value):
            parts += [f"## {name}", *_described(name, value)]
    return "\n\n".join(parts) + "\n"


def _described(name: str, value: object) -> Iterator[str]:
    yield _block(_signature(name, value), "python")
    yield _doc(value)
    if inspect.isclass(value):
        for method, function in vars(value).items():
            if not method.startswith("_") and (
                inspect.isfunction(function) or isinstance(function, property)
            ):
                inner = function.fget if isinstance(function, property) else function
                words = " ".join(_doc(inner).split())
                yield f"- `{method}`{'' if isinstance(function, property) else '()'}: {words}"


def _signature(name: str, value: object) -> str:
    try:
        shown = re.sub(r"<factory>|<object object at \w+>", "...", str(inspect.signature(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        shown = ""
    return f"{name}{shown}"


def _doc(value: object) -> str:
    """Returns the docstring, without what dataclasses and protocols write there themselves."""
    text = inspect.getdoc(value) or ""
    return "" if text.startswith(f"{getattr(value, '__name__', '')}(") else text


def _block(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```"
