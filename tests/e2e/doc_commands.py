"""Commands in README.md and docs/, as they stand there, and small settings to run them with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
INDENTED = re.compile(r"^ {4}(dagger .*)$", re.M)
FILE = re.compile(r"^# ([\w/]+\.(?:py|yaml))\b")
CODE = re.compile(r"`([^`\n]+)`")
QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
UNQUOTED = re.compile(r"[+~]?[\w./@-]+=[^\s'\"]*[\[(*?]\S*")  # a pattern or an error in zsh or bash
SHELL = ("sh", "bash", "shell", "console", "")

# The one switch: overrides that make any run a matter of seconds.
SMALL = {
    "rounds": "1",
    "labels": "200",
    "n_envs": "2",
    "validation.episodes": "1",
    "validation.queries": "10",
    "evaluation.episodes": "2",
    "gif": "false",
}
DROPPED = ("steps_per_round", "policy.gradient_steps", "policy.final_fit", *SMALL)


class Command(NamedTuple):
    """The words after `dagger` of a command, and its page."""

    page: str
    words: tuple[str, ...]

    @property
    def line(self) -> str:
        """The command in one line."""
        return " ".join(self.words)


def pages() -> list[Path]:
    """README.md and the pages of docs/ that people wrote; extending.md has a test of its own."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    others = {"bench", "extending.md"}
    return [path for path in found if not others & {*path.relative_to(ROOT).parts}]


def commands() -> list[Command]:
    """Every command once, from the page where it comes first."""
    seen: dict[tuple[str, ...], Command] = {}
    for path in pages():
        for words in _of_page(path.read_text("utf-8")):
            seen.setdefault(words, Command(path.relative_to(ROOT).as_posix(), words))
    return [*seen.values()]


def unquoted() -> list[tuple[str, str]]:
    """The overrides on any page that a shell would not pass on as they are, as (page, word)."""
    others = [ROOT / "conf/README.md", *sorted((ROOT / "examples").rglob("*.md"))]
    found = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *others]:
        text = path.read_text("utf-8")
        blocks = [body for language, body in FENCE.findall(text) if language in SHELL]
        plain = FENCE.sub("", text)
        typed = [line for line in "\n".join(blocks).splitlines() if "dagger " in line]
        for code in [*typed, *INDENTED.findall(plain), *CODE.findall(plain)]:
            words = QUOTED.sub("", code.partition(" #")[0]).split()
            found += [(path.name, word) for word in words if UNQUOTED.fullmatch(word)]
    return found


def _of_page(text: str) -> Iterator[tuple[str, ...]]:
    blocks = [body for language, body in FENCE.findall(text) if language in SHELL]
    plain = FENCE.sub("", text)
    for line in [*"\n".join(blocks).replace("\\\n", " ").splitlines(), *INDENTED.findall(plain)]:
        for part in line.strip().removeprefix("$ ").split("&&"):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:  # an apostrophe in prose
                continue
            if words[:1] == ["dagger"] and len(words) > 1:
                yield tuple(words[1:])


def write_files(page: str, folder: Path) -> None:
    """Writes the files that a page shows: blocks that begin with a comment `# path`."""
    for _, body in FENCE.findall((ROOT / page).read_text("utf-8")):
        named = FILE.match(body)
        if named:
            (folder / named[1]).parent.mkdir(parents=True, exist_ok=True)
            (folder / named[1]).write_text(body, "utf-8")


def small(words: tuple[str, ...]) -> list[str]:
    """The same command with small settings, at most two values of a swept key."""
    if words[0] != "train":
        return [re.sub(r"^episodes=.*", "episodes=2", word) for word in words]
    kept = [word for word in words if word.partition("=")[0] not in DROPPED]
    kept = [re.sub(r"^([\w./@]+)=([^\[{(,]+),([^,\]})]+),.*$", r"\1=\2,\3", word) for word in kept]
    kept = [re.sub(r"^seed=(\d+),.*", r"seed=\1", word) for word in kept]
    kept = [re.sub(r"(n_trials)=.*", r"\1=2", word) for word in kept]
    given = {word.partition("=")[0] for word in kept}
    if "resume" in given:
        return [*kept, "evaluation.episodes=2"] if "-m" not in kept else kept
    short = ["env.max_episode_steps=60"] if "trainer=forward" in kept else []  # a policy a step
    return [*kept, *(f"{key}={value}" for key, value in SMALL.items()), *short]
