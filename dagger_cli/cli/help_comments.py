"""Comments of the YAML files beside the keys that `dagger <command> --help` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dagger_cli.cli.command_line import CommandLine
from dagger_cli.cli.unknown_keys import root_of
from dagger_cli.config.options import GLOBAL, GROUPS, config_dir

_KEY = re.compile(r"(?P<indent> *)(?P<key>\w+):(?P<value>[^#]*?)(?: +# (?P<comment>.*))?")


def commented(text: str, line: CommandLine) -> str:
    """Returns the help of a command with each key's comment; the text around them is unchanged."""
    before, heading, rest = text.partition("== Config")
    config, examples, after = rest.partition("\nExamples:")
    comments = _comments(line)
    lines = [_with_comment(shown, key, comments) for shown, key, _ in _keys(config)]
    return "".join((before, heading, "\n".join(lines), examples, after))


def _with_comment(line: str, key: str, comments: dict[str, str]) -> str:
    return f"{line}  # {comments[key]}" if key in comments else line


def _comments(line: CommandLine) -> dict[str, str]:
    """Returns the comment of each key of the command and of the options that are chosen."""
    root = config_dir() / f"{root_of(line.command)}.yaml"
    text = root.read_text("utf-8")
    comments = _of_file(root, "")
    for group in GROUPS:
        default = re.search(rf"^  - {group}: (\w+)", text, re.M)
        chosen = line.text_of(group) or (default[1] if default else "")
        path = config_dir() / group / f"{chosen}.yaml"
        if path.is_file() and group not in GLOBAL:
            comments |= _of_its_class(path, f"{group}.") | _of_file(path, f"{group}.")
    return comments


def _of_its_class(path: Path, prefix: str) -> dict[str, str]:
    """Returns the comments of env=gym for the other environments of its class."""
    general = path.with_name("gym.yaml")
    target = re.compile(r"^_target_: .*$", re.M)
    if not general.is_file():
        return {}
    found = [target.search(file.read_text("utf-8")) for file in (path, general)]
    same = all(found) and len({match[0] for match in found if match}) == 1
    return _of_file(general, prefix) if same else {}


def _of_file(path: Path, prefix: str) -> dict[str, str]:
    found = _keys(path.read_text("utf-8"))
    return {f"{prefix}{key}": comment for _, key, comment in found if comment}


def _keys(text: str) -> Iterator[tuple[str, str, str | None]]:
    """Yields each line of YAML with its dotted key and its comment; other lines with no key."""
    place: list[tuple[int, str]] = []
    for line in text.split("\n"):
        match = _KEY.fullmatch(line)
        if match is None:
            yield line, "", None
            continue
        indent = len(match["indent"])
        place = [(n, key) for n, key in place if n < indent] + [(indent, match["key"])]
        yield line, ".".join(key for _, key in place), match["comment"]
