"""Errors of libraries in the words of a user: what, where, and how to fix it, in one sentence."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from difflib import get_close_matches

from dagger_cli.config.options import GROUPS
from dagger_cli.core.errors import DaggerError
from dagger_cli.utils.terminal import printable

NO_MEMORY = "can't allocate memory|[Ss]torage size calculation overflowed|index-sized integer"


def explain(err: BaseException) -> str | None:
    """The sentence for the user, or None for what is nobody's fault but ours."""
    if isinstance(err, DaggerError):
        return _one_line(str(err))
    # Before OSError: Hydra's error about a missing option is one of those, too.
    if type(err).__module__.startswith(("hydra.", "omegaconf.")):
        return _config_error(err)
    if isinstance(err, MemoryError) or re.search(NO_MEMORY, str(err)):
        return f"there is not enough memory: {_one_line(str(err)) or 'ask for less'}"
    return _os_error(err) if isinstance(err, OSError) else None


def nearest(word: str, known: Iterable[str]) -> str:
    """', did you mean ...?' or nothing."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _os_error(err: OSError) -> str | None:
    if err.filename is None and err.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    where = f" '{err.filename}'" if err.filename is not None else ""
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: could not write{where}; free some space and resume the run"
    return f"cannot use{where}: {err.strerror}; give another path (hydra.run.dir=... for a run)"


def _config_error(err: BaseException) -> str:
    text = str(err)
    missing = re.search(r"Could not find '(?:(\S+)/)?(\S+?)'", text)
    if missing:
        return _unknown_option(missing[1], missing[2], text)
    unknown = re.search(r"Could not override '([^']+)'", text) or re.search(
        r"Key '([^']+)' is not in struct", text
    )
    if unknown and "is not in struct" in f"{text} {err.__cause__}":
        return _unknown_key(unknown[1])
    unknown = re.search(r"Key '([^']+)' not in '", f"{text} {err.__cause__}")
    if unknown:
        full = re.search(r"full_key: (\S+)", f"{text} {err.__cause__}")
        return _unknown_key(full[1] if full else unknown[1])
    override = re.search(r"[Cc]ould not (?:find|override)[^']*'([^']+)'\. No match", text)
    if override and override[1] in _groups():
        return f"this command does not take {override[1]}=...; leave it out"
    if override:
        return f"there is no config group '{override[1]}'{nearest(override[1], _groups())}"
    removed = re.search(r"delete from config\. '(\S+)' does not exist", text)
    if removed:
        return f"'~{removed[1]}' has nothing to remove: leave it out, or set {removed[1]}=..."
    if re.search(r"Missing key |does not support deletion", f"{text} {err.__cause__}"):
        return "'~' removed a key that is needed: leave it out, or give the key a value"
    needed = re.search(r"Missing mandatory value: (\S+)", text)
    full = re.search(r"full_key: (\S+)", f"{text}\n{err.__cause__}")
    if needed:
        # An interpolation that leads to it has a full key of its own.
        key = full[1] if full and full[1].endswith(f".{needed[1]}") else needed[1]
        return f"{key} needs a value: give {key}=..."
    lacking = re.search(r"Interpolation key '([\w.]+)' not found", text)
    if lacking and full:
        return (
            f"{full[1]} is taken from {lacking[1]}, which was not chosen with this environment: "
            f"give {full[1]}=..., or choose another option of '{full[1].partition('.')[0]}'"
        )
    reason = str(err.__cause__ or text).splitlines()[0]
    return f"{full[1]}: {_one_line(reason)}" if full else _one_line(text)


def _unknown_option(group: str | None, option: str, text: str) -> str:
    options = re.findall(r"^\t(\S+)$", text, re.M)
    if group is None or not options:
        return f"there is no config '{option}'{nearest(option, _groups())}"
    listed = ", ".join(options)
    return f"{group}={option}: there is no such option{nearest(option, options)} ({listed})"


def _unknown_key(key: str) -> str:
    if key.startswith("trainer.beta."):  # it is a group of its own
        return f"there is no key '{key}'; did you mean '{key.removeprefix('trainer.')}'?"
    name = key.rpartition(".")[2]
    same_level = [k for k in _keys() if k.rpartition(".")[0] == key.rpartition(".")[0]]
    near = get_close_matches(key, same_level, n=1) or get_close_matches(key, _keys(), n=1)
    if key in near:
        return f"there is no key '{key}' with the command and the options that were chosen"
    hint = f"; did you mean '{near[0]}'?" if near else f"; see `dagger train --help` for '{name}'"
    return f"there is no key '{key}'{hint}"


def _groups() -> list[str]:
    return [*GROUPS, "beta"]


def _keys() -> list[str]:
    """Every key of every schema, with its group in front."""
    import dataclasses

    from dagger_cli.config import schema

    keys = [f.name for root in schema.ROOTS.values() for f in dataclasses.fields(root)]
    for group, options in schema.OPTIONS.items():
        keys += {f"{group}.{f.name}" for option in options for f in dataclasses.fields(option)}
    for node, part in (("validation", schema.Validation), ("evaluation", schema.Evaluation)):
        keys += [f"{node}.{f.name}" for f in dataclasses.fields(part)]
    return keys


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))
