"""`dagger compare`: two runs, sweeps or groups, paired by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.report.comparison import lines, safe
from dagger_cli.report.find import existing, runs_below
from dagger_cli.report.groups import Group, Measured, sections
from dagger_cli.report.run_record import read_run
from dagger_cli.utils.files import shown_path

Sides = dict[str, tuple[Sequence[Measured], Sequence[Measured]]]  # by environment
_USAGE = "dagger compare A B, or dagger compare PATH GROUP GROUP"


def compare(words: Sequence[str]) -> None:
    """Prints the comparison of what the words name; raises DaggerError where they do not."""
    names, sides = _named(words)
    print(safe(f"A  {names[0]}"))
    print(safe(f"B  {names[1]}"))
    for env, (a, b) in sides.items():
        print()
        for line in lines(env, a, b):
            print(safe(line))


def _named(words: Sequence[str]) -> tuple[tuple[str, str], Sides]:
    if len(words) == 2:
        return _two_folders(*words)
    if len(words) not in (1, 3):
        raise ConfigError(f"dagger compare needs two things to compare: {_USAGE}")
    path, *wanted = words
    groups = _groups(existing([path]))
    names = list(dict.fromkeys(group.name for _, group in groups))
    if not wanted and len(names) != 2:
        raise ConfigError(f"{path} has {len(names)} groups ({', '.join(names)}): name two of them")
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError(f"{path} has no group '{unknown[0]}' (groups: {', '.join(names)})")
    first, second = wanted or names
    return (first, second), dict(_by_env(groups, first, second))


def _two_folders(first: str, second: str) -> tuple[tuple[str, str], Sides]:
    a, b = (_measured(existing([word])) for word in (first, second))
    shared = [env for env in a if env in b]
    if not shared:
        raise ConfigError(
            f"A has runs in {', '.join(a) or 'none'} and B in {', '.join(b) or 'none'}: "
            "there is no environment to compare them in"
        )
    return (first, second), {env: (a[env], b[env]) for env in shared}


def _measured(folders: Sequence[Path]) -> dict[str, list[Measured]]:
    found: dict[str, list[Measured]] = {}
    for env, group in _groups(folders):
        found.setdefault(env, []).extend(group.runs)
    return found


def _groups(folders: Sequence[Path]) -> list[tuple[str, Group]]:
    runs = [read_run(folder) for folder in runs_below(folders)]
    found = [(section.env, group) for section in sections(runs) for group in section.groups]
    if not found:
        raise ConfigError(f"no run in {shown_path(folders[0])} has finished a round")
    return found


def _by_env(
    groups: Sequence[tuple[str, Group]], first: str, second: str
) -> Iterator[tuple[str, tuple[Sequence[Measured], Sequence[Measured]]]]:
    for env in dict.fromkeys(env for env, _ in groups):
        here = {group.name: group.runs for name, group in groups if name == env}
        if first in here and second in here:
            yield env, (here[first], here[second])
