"""Hostile files: pickles that call something or explode, archives that lie; and honest ones."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from typing import Any

COMMAND = b"touch canary"
NAME = b"cposix\nsystem\n"
ARG = b"X" + struct.pack("<I", len(COMMAND)) + COMMAND

CALLS = {
    "reduce": NAME + b"(" + ARG + b"tR.",
    "stack_global": b"\x80\x04\x8c\x05posix\x8c\x06system\x93(" + ARG + b"tR.",
    "inst": b"(" + ARG + b"iposix\nsystem\n.",
    "obj": b"(" + NAME + ARG + b"o.",
    "newobj": b"\x80\x02" + NAME + ARG + b"\x85\x81.",
    "newobj_ex": b"\x80\x04" + NAME + ARG + b"\x85}\x92.",
    "build": b"cbuiltins\nobject\n)\x81}X\x0c\x00\x00\x00__setstate__" + NAME + b"sb" + ARG + b"b.",
    "nested": b"cpickle\nloads\n(B"
    + struct.pack("<I", 24)
    + b"cposix\nsystem\n(Vtouch\ntR."
    + b"tR.",
    "ext1": b"\x82\x01.",
    "ext2": b"\x83\x01\x00.",
    "ext4": b"\x84\x01\x00\x00\x00.",
    "persid": b"Pcanary\n.",
    "binpersid": NAME + b"(" + ARG + b"tRQ.",
    "next_buffer": b"\x80\x05\x97.",
    "readonly_buffer": b"\x80\x05\x97\x98.",
}
BOMBS = {
    "huge memo": b"Nr\xff\xff\xff\x7f.",
    "huge bytes": b"\x8e" + struct.pack("<Q", 2**40) + b"x.",
    "huge bytearray": b"\x96" + struct.pack("<Q", 2**40) + b"x.",
    "huge text": b"X\xff\xff\xff\x7fx.",
    "deep tuples": b")" + b"\x85" * 150_000 + b".",
    "doubling": b")" + b"2\x86" * 90_000 + b".",
    "doubling key": b"})" + b"2\x86" * 5_000 + b"Ns.",
    "many": b"]" * 400_000 + b".",
    "empty": b"",
    "stop": b".",
    "truncated": b"\x80\x04\x95",
}


class Evil:
    def __reduce__(self) -> Any:
        return os.system, (COMMAND.decode(),)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_pth", ".pth"), content)
    return buffer.getvalue()


def checkpoint(**tensors: Any) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


def honest() -> dict[str, bytes]:
    import torch

    return {"data": b"{}", "policy_pth": checkpoint(weight=torch.ones(2, 2))}


def with_name(name: str, mode: int = 0o644) -> bytes:
    buffer = io.BytesIO(zipped(**honest()))
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, b"policy.pth")
    return buffer.getvalue()


def lying(field: int, value: int) -> bytes:
    """The archive's directory declares another size of its first member."""
    data = bytearray(zipped(**honest()))
    at = data.index(b"PK\x01\x02") + field
    data[at : at + 4] = struct.pack("<I", value)
    return bytes(data)


def long_directory() -> bytes:
    data = bytearray(zipped(**honest()))
    at = data.rindex(b"PK\x05\x06") + 12
    data[at : at + 4] = struct.pack("<I", 2**30)
    return bytes(data)


def dolls(depth: int) -> bytes:
    """A zip in a zip in a zip, each with a member that unpacks to 8 MiB."""
    data = zipped(a=b"\0" * 2**23)
    for _ in range(depth):
        data = zipped(data=b"{}", policy_pth=data, more=b"\0" * 2**23)
    return data


def crowd() -> bytes:
    return zipped(**honest(), **{f"m{i}": b"" for i in range(1500)})


def swapped(old: bytes, new: bytes) -> bytes:
    """A checkpoint whose pickle says something else, of the same length."""
    import torch

    data = checkpoint(weight=torch.ones(3, 3))
    assert old in data and len(old) == len(new)
    return data.replace(old, new)


ARCHIVES = {
    "honest": lambda: zipped(**honest()),
    "empty": lambda: b"",
    "text": lambda: b"<html>not here</html>",
    "no policy": lambda: zipped(data=b"{}"),
    "not json": lambda: zipped(**{**honest(), "data": b"{"}),
    "json list": lambda: zipped(**{**honest(), "data": b"[]"}),
    "deep json": lambda: zipped(**{**honest(), "data": b"[" * 100_000}),
    "bomb in data": lambda: zipped(**{**honest(), "data": b"0" * 30_000_000}),
    "bomb in policy": lambda: zipped(**{**honest(), "policy_pth": b"\0" * 70_000_000}),
    "parent": lambda: with_name("../policy.pth"),
    "absolute": lambda: with_name("/etc/passwd"),
    "drive": lambda: with_name("C:\\policy.pth"),
    "link": lambda: with_name("link", 0o120777),
    "twice": lambda: with_name("data"),
    "declares more": lambda: lying(24, 2**31),
    "declares less": lambda: lying(24, 1),
    "long directory": long_directory,
    "nested": lambda: zipped(**{**honest(), "policy_pth": zipped(**honest())}),
    "dolls": lambda: dolls(20),
    "crowd": crowd,
    "bomb in version": lambda: zipped(**honest(), _stable_baselines3_version=b"1" * 50_000_000),
    "parent of windows": lambda: with_name("..\\policy.pth"),
    "inner parent": lambda: with_name("a/../../policy.pth"),
    "device": lambda: with_name("null", 0o020777),
    **{
        f"cut at {n}": (lambda n=n: zipped(**honest())[:n])  # type: ignore[misc]
        for n in (1, 30, 200, 600)
    },
    "calls in policy": lambda: zipped(**{**honest(), "policy_pth": CALLS["reduce"]}),
    "more rows": lambda: zipped(
        data=b"{}", policy_pth=swapped(b"K\x03K\x03\x86", b"K\x03K\xff\x86")
    ),
    "no stride": lambda: zipped(
        data=b"{}", policy_pth=swapped(b"K\x03K\x01\x86", b"K\xffK\xff\x86")
    ),
    "bigger storage": lambda: zipped(data=b"{}", policy_pth=swapped(b"K\x09t", b"K\xfft")),
}
