"""Reads a pickle without running it: plain values, and a `Record` instead of every call.

Python's own unpickler is not used. `pickletools.genops` splits the bytes into operations (checking
lengths); the few operations below build plain values; naming a class, or calling one, creates an
inert record.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dagger_cli.core.errors import ExpertError

MAX_OPERATIONS = 200_000  # real statistics and checkpoints have a few thousand


@dataclass(eq=False, repr=False)
class Record:
    """A call in the pickle: `name(*args)` with `state`; nothing of it was imported or called."""

    name: str
    args: Any = None
    state: Any = None
    items: Any = None  # entries that were set as in a dict


@dataclass(frozen=True, eq=False, repr=False)
class Stored:
    """A persistent id: torch's reference to a storage outside the pickle."""

    key: Any


_MARK = object()
_KEYS = (str, bytes, int, float, type(None))


def read_pickle(data: bytes) -> Any:
    """Returns the first pickle as plain values and records; raises ExpertError if invalid."""
    value, _ = read_pickle_at(data, 0)
    return value


def read_pickle_at(data: bytes, start: int) -> tuple[Any, int]:
    """Returns the pickle that starts at `start`, and where it ends."""
    stream = io.BytesIO(data)
    stream.seek(start)
    try:
        return _Reader().run(stream), stream.tell()
    except ExpertError:
        raise
    except Exception as err:  # any error of the parser means a damaged file
        raise ExpertError(f"a pickle in it is damaged ({type(err).__name__})") from err


class _Reader:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, stream: io.BytesIO) -> Any:
        for count, (opcode, arg, _) in enumerate(pickletools.genops(stream)):
            if count > MAX_OPERATIONS:
                raise ExpertError(f"a pickle in it has more than {MAX_OPERATIONS:,} operations")
            if opcode.name == "STOP":
                return self.stack.pop()
            step = _STEPS.get(opcode.name)
            if step is None:
                raise ExpertError(f"a pickle in it uses {opcode.name}, which is not supported")
            step(self, arg)
        raise ExpertError("a pickle in it is truncated")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop_marked(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("no mark")
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def drop(self, _arg: Any) -> None:
        self.stack.pop()

    def drop_marked(self, _arg: Any) -> None:
        self.pop_marked()

    def tuple_of(self, n: int) -> None:
        items = tuple(self.stack[len(self.stack) - n :])
        if len(items) != n:
            raise ValueError("stack too short")
        del self.stack[len(self.stack) - n :]
        self.push(items)

    def memoize(self, _arg: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def put(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def named(self, arg: str) -> None:
        module, _, name = arg.partition(" ")
        self.push(Record(f"{module}.{name}"))

    def stack_named(self, _arg: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise ValueError("a name that is not a string")
        self.push(Record(f"{module}.{name}"))

    def called(self, _arg: Any) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        self.push(Record(_name(function), args))

    def called_with_keywords(self, _arg: Any) -> None:
        keywords, args, function = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.push(Record(_name(function), args, keywords))

    def called_marked(self, _arg: Any) -> None:
        function, *args = self.pop_marked()
        self.push(Record(_name(function), tuple(args)))

    def inst(self, arg: str) -> None:
        module, _, name = arg.partition(" ")
        self.push(Record(f"{module}.{name}", tuple(self.pop_marked())))

    def build(self, _arg: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Record):
            raise ValueError("state for a plain value")
        target.state = state

    def set_items(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Record):
            target.items = {} if target.items is None else target.items
            target = target.items
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if isinstance(key, _KEYS):  # hashing others could take arbitrarily long
                target[key] = value

    def marked_dict(self, _arg: Any) -> None:
        pairs = self.pop_marked()
        self.push({})
        self.set_items(pairs)

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Record):  # the contents of a deque or similar are not used
            raise ValueError("append to a plain value")


def _name(function: Any) -> str:
    return function.name if isinstance(function, Record) else "?"


def _pair(reader: _Reader) -> list[Any]:
    value, key = reader.stack.pop(), reader.stack.pop()
    return [key, value]


Step = Callable[[_Reader, Any], None]


def _constant(value: Any) -> Step:
    return lambda reader, _arg: reader.push(value)


_LITERALS = (
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "BYTEARRAY8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
)  # fmt: skip

_STEPS: dict[str, Step] = {
    **dict.fromkeys(_LITERALS, _Reader.push),
    **dict.fromkeys(("PROTO", "FRAME"), lambda _reader, _arg: None),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Reader.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda r, index: r.push(r.memo[index])),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Reader.called),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "MARK": _constant(_MARK),
    "EMPTY_TUPLE": _constant(()),
    "EMPTY_LIST": lambda r, _: r.push([]),
    "EMPTY_DICT": lambda r, _: r.push({}),
    "EMPTY_SET": lambda r, _: r.push(Record("builtins.set")),
    "ADDITEMS": lambda r, _: r.append(r.pop_marked()),
    "FROZENSET": lambda r, _: r.push(Record("builtins.frozenset", r.pop_marked())),
    "TUPLE": lambda r, _: r.push(tuple(r.pop_marked())),
    "TUPLE1": lambda r, _: r.tuple_of(1),
    "TUPLE2": lambda r, _: r.tuple_of(2),
    "TUPLE3": lambda r, _: r.tuple_of(3),
    "LIST": lambda r, _: r.push(r.pop_marked()),
    "DICT": _Reader.marked_dict,
    "APPEND": lambda r, _: r.append([r.stack.pop()]),
    "APPENDS": lambda r, _: r.append(r.pop_marked()),
    "SETITEM": lambda r, _: r.set_items(_pair(r)),
    "SETITEMS": lambda r, _: r.set_items(r.pop_marked()),
    "POP": _Reader.drop,
    "POP_MARK": _Reader.drop_marked,
    "DUP": lambda r, _: r.push(r.stack[-1]),
    "MEMOIZE": _Reader.memoize,
    "GLOBAL": _Reader.named,
    "STACK_GLOBAL": _Reader.stack_named,
    "NEWOBJ_EX": _Reader.called_with_keywords,
    "OBJ": _Reader.called_marked,
    "INST": _Reader.inst,
    "BUILD": _Reader.build,
    "BINPERSID": lambda r, _: r.push(Stored(r.stack.pop())),
}
