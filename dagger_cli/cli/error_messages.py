"""Messages for errors of libraries, in one sentence: what, where, and how to fix it.

Errors of Hydra and OmegaConf are identified by their attributes, or by the first quoted word of
their message.
"""

from __future__ import annotations

import errno
import re
import shlex
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, get_type_hints

from dagger_cli.cli.other_names import option_hint, our_name
from dagger_cli.config.options import GLOBAL, GROUPS, config_dir
from dagger_cli.config.options import options as all_options
from dagger_cli.config.renamed import new_name
from dagger_cli.core.errors import DaggerError
from dagger_cli.utils.quoting import hydra_quoted
from dagger_cli.utils.terminal import printable

NO_MEMORY = "can't allocate memory|[Ss]torage size calculation overflowed|index-sized integer"
NO_MEMORY += "|can't start new thread|Resource temporarily unavailable"
QUOTES = "'\""
MOST_OPTIONS = 4  # that a sentence names
LONGEST = 200  # characters of a value that a message repeats


def explain(err: BaseException) -> str | None:
    """Returns the message for the user, None for an error that the user cannot fix."""
    if isinstance(err, DaggerError):
        return _one_line(str(err))
    # Before OSError: Hydra's error for a missing option is a subclass.
    if type(err).__module__.startswith(("hydra.", "omegaconf.")):
        return _one_line(_config_error(err))
    if isinstance(err, MemoryError) or re.search(NO_MEMORY, str(err)):
        return f"there is not enough memory: {_one_line(str(err)) or 'use smaller values'}"
    if isinstance(err, UnicodeEncodeError) and re.search("[\ud800-\udfff]", err.object):
        return (
            f"'{_one_line(err.object[:80])}' is no text in this locale: set PYTHONUTF8=1 or "
            "LC_ALL=C.UTF-8, or give another name"
        )
    return _os_error(err) if isinstance(err, OSError) else None


def nearest(word: str, known: Iterable[str]) -> str:
    """Returns `; did you mean ...?`, or an empty text without a similar word."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _os_error(err: OSError) -> str | None:
    if err.filename is None and err.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    where = f" '{_one_line(str(err.filename))}'" if err.filename is not None else ""
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: could not write{where}; free some space and resume the run"
    return f"cannot use{where}: {err.strerror}; give another path (hydra.run.dir=... for a run)"


def _config_error(err: BaseException) -> str:
    from hydra.errors import MissingConfigException, OverrideParseException
    from omegaconf import errors

    if isinstance(err, MissingConfigException):
        return _unknown_option(str(err.missing_cfg_file), err.options or ())
    if isinstance(err, OverrideParseException):
        return _unparsed(_one_line(err.override))
    cause = next((e for e in _chain(err) if getattr(e, "full_key", None)), None)
    if isinstance(cause, errors.InterpolationKeyError):
        return _no_such_interpolation(cause)
    if isinstance(cause, errors.MissingMandatoryValue):
        missing = next(e for e in _chain(err) if isinstance(e, errors.MissingMandatoryValue))
        # An interpolation that refers to it has another full key.
        return _needed(str(missing.full_key or cause.full_key))
    if isinstance(cause, errors.InterpolationToMissingValueError):
        return _needed(_quoted_or_last(str(cause.__cause__ or cause)))
    if isinstance(cause, errors.ValidationError):
        return _wrong_type(cause)
    if isinstance(cause, (errors.ConfigKeyError, errors.ConfigAttributeError)):
        return _unknown_key(str(cause.full_key))
    if cause is not None and "deletion" in str(cause):
        return f"'~' removed {cause.full_key}, which is needed: leave it out"
    if cause is not None:
        return f"{cause.full_key}: {_one_line(str(cause).splitlines()[0])}"
    return _without_fields(str(err))


def _unparsed(word: str) -> str:
    key, equals, value = word.partition("=")
    if not equals:
        return f"'{word}' cannot be parsed: write key=value"
    key, value = key.lstrip("+"), value.strip(QUOTES)
    if key in _groups():
        return f"'{word}' cannot be parsed: an option is chosen by its name, one word per override"
    quoted = hydra_quoted(value) if set(value) & {'"', "\\", "$"} else f'"{value}"'
    return (
        f"'{word}' cannot be parsed: quote the value twice, for Hydra and for the shell: "
        f"{shlex.quote(f'{key}={quoted}')}"
    )


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _chain(err: BaseException | None) -> Iterator[Any]:
    while err is not None:
        yield err
        err = err.__cause__


def _without_fields(text: str) -> str:
    """Returns the message for errors that have a text but no attributes."""
    quoted = re.search(r"'([^'\n]*)'", text)
    if quoted is None:
        return _one_line(text.splitlines()[0] if text else "the config cannot be composed")
    key = quoted[1].partition("@")[0]
    if "delete" in text:
        return f"'~{key}' has nothing to remove: leave it out, or set {key}=..."
    if "append" in text and "already" in text:
        return f"'{key}' exists already: leave out the plus sign, {key}=..."
    if key in _groups():
        return f"this command does not take {key}=...; leave it out"
    if "No match" in text or "@" in quoted[1]:
        return f"there is no config group '{key}'{nearest(key, _groups())}"
    return _one_line(text.splitlines()[0])


def _wrong_type(err: Any) -> str:
    from dagger_cli.config.schema import ROOTS
    from dagger_cli.config.typed import in_words

    *path, last = str(err.full_key).split(".")
    for root in ROOTS.values():
        kind: Any = root
        for part in path:
            kind = get_type_hints(kind).get(part) if hasattr(kind, "__annotations__") else None
        hints = get_type_hints(kind) if hasattr(kind, "__annotations__") else {}
        if last in hints:
            if err.value is None:
                return _needed(str(err.full_key))
            value = repr(err.value)
            return f"{err.full_key} must be {in_words(hints[last])}, got {_one_line(value)}"
    return f"{err.full_key}: {_one_line(str(err).splitlines()[0])}"


def _needed(key: str) -> str:
    if "." not in key and key in GROUPS:
        return f"'~' removed {key}, which is needed: leave it out, or choose {key}=..."
    return f"{key} needs a value: give {key}=..."


def _quoted_or_last(text: str) -> str:
    return text.splitlines()[0].split()[-1].strip("'\"")


def _no_such_interpolation(err: Any) -> str:
    quoted = re.search(r"'([^'\n]*)'", str(err))
    lacking = quoted[1] if quoted else "another key"
    group = str(err.full_key).partition(".")[0]
    return (
        f"{err.full_key} refers to {lacking}, which the chosen options do not have: give "
        f"{err.full_key}=..., or choose another option of '{group}'"
    )


def _unknown_option(path: str, options: Iterable[str]) -> str:
    group, _, option = path.rpartition("/")
    if path.partition("/")[0] in GROUPS:  # env=ALE/Pong-v5
        group, _, option = path.partition("/")
    known = list(options) or all_options().get(group, [])
    if not group or not known:
        return f"there is no config '{path}'{nearest(path, _groups())}"
    hint = option_hint(group, option) or f"{nearest(option, known)} ({', '.join(known)})"
    return f"{group}={option}: there is no such option{hint}"


def _unknown_key(key: str) -> str:
    renamed = new_name(key)
    if renamed is not None:
        return f"'{key}' was renamed to '{renamed}': write {renamed}=..."
    ours = our_name(key)
    if ours is not None:
        return f"there is no key '{key}'; here it is {ours}=..."
    if key.startswith("trainer.beta."):  # it is a group of its own
        return f"there is no key '{key}'; did you mean '{key.removeprefix('trainer.')}'?"
    if key in ("env", "env.imports", "env.id"):  # of a command that builds no other environment
        return f"this command does not take {key}=...; to trust a package, add trust=[my_pkg]"
    known = _keys()
    same_level = [k for k in known if k.rpartition(".")[0] == key.rpartition(".")[0]]
    near = get_close_matches(key, same_level, n=1) or get_close_matches(key, known, n=1)
    if key in near:
        options = [f"{group}={option}" for group, option, name in _of_options() if name == key]
        if 0 < len(options) <= MOST_OPTIONS:
            return (
                f"there is no key '{key}' with the chosen options, only with "
                f"{' or '.join(options)}: type that, too, or leave the key out"
            )
        return f"there is no key '{key}' with this command and the chosen options: leave it out"
    hint = f"; did you mean '{near[0]}'?" if near else ": `dagger train --help` lists the keys"
    return f"there is no key '{key}'{hint}"


def _groups() -> list[str]:
    return [*GROUPS, "beta"]


def _keys() -> list[str]:
    """Returns every key of every command and of every option that this package ships."""
    import dataclasses

    from dagger_cli.config import schema

    keys = [f.name for root in schema.ROOTS.values() for f in dataclasses.fields(root)]
    for node, part in schema.NODES.items():
        keys += [f"{node}.{f.name}" for f in dataclasses.fields(part)]
    keys += [key for _, _, key in _of_options()]
    return list(dict.fromkeys(keys))


def _of_options() -> Iterator[tuple[str, str, str]]:
    """Yields (group, option, key) of every option that this package ships."""
    import yaml

    for group in (group for group in GROUPS if group not in GLOBAL):
        for path in sorted((config_dir() / group).glob("*.yaml")):
            keys = yaml.safe_load(path.read_text(encoding="utf-8"))
            for name in keys.get(group, keys):  # an option may set keys of other groups, too
                yield group, path.stem, f"{group}.{name}"


def _one_line(text: str) -> str:
    return printable(" ".join(map(_shortened, text.split())))
