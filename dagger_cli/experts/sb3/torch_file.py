"""Reads a `policy.pth` as numpy arrays: its pickle as data, its numbers as bytes.

torch's own reader is not used: it would run the pickle, and trusts the declared sizes. A file is a
pickled dictionary of tensors, which refer to ranges of storages, and the storages' bytes: members
of a zip archive, or one after the other in files from before torch 1.6.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.experts.sb3.safe_pickle import Record, read_pickle, read_pickle_at
from dagger_cli.experts.sb3.zip_guard import refuse_long_directory

_DTYPES = {
    "Float": "<f4", "Double": "<f8", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4",
    "Short": "<i2", "Char": "i1", "Byte": "u1", "Bool": "?",
}  # fmt: skip
_MAX_TENSORS = 10_000
_MAX_NUMBERS = 2**25  # in all tensors: many may share one storage, and each gets an array
_MOST_AXES = 8
_COUNT = 8  # bytes before a storage of an old file: its number of elements


class _Tensor(NamedTuple):
    """A range of the `size` numbers in the storage `key`."""

    key: str
    kind: str
    size: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """Size of the storage in bytes."""
        return self.size * np.dtype(_DTYPES[self.kind]).itemsize


def read_checkpoint(data: bytes) -> dict[str, Array]:
    """Returns arrays by name (float32); raises ExpertError unless `data` has only valid tensors."""
    zipped = data[:4] == b"PK\x03\x04"
    tensors, storages = _zipped(data) if zipped else _legacy(data)
    return {name: _array(tensor, storages) for name, tensor in tensors.items()}


def _array(tensor: _Tensor, storages: Mapping[str, bytes]) -> Array:
    stored = storages.get(tensor.key, b"")
    if len(stored) < tensor.n_bytes:
        raise ExpertError("its policy.pth declares more numbers than it has")
    numbers = np.frombuffer(stored, _DTYPES[tensor.kind], tensor.size)
    if tensor.kind == "BFloat16":  # the upper half of a float32
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    steps = [step * numbers.itemsize for step in tensor.strides]
    own = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps)
    return np.array(own, np.float32)


def _zipped(data: bytes) -> tuple[dict[str, _Tensor], dict[str, bytes]]:
    """Reads the zip format; every storage must be a stored (not compressed) member."""
    refuse_long_directory(io.BytesIO(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            infos = inner.infolist()
            compressed = any(i.compress_type or i.file_size != i.compress_size for i in infos)
            if compressed or len(infos) > _MAX_TENSORS:
                raise ExpertError("its policy.pth is compressed, which torch never does")
            pickles = [i for i in infos if _inside(i) == "data.pkl"]
            if len(pickles) != 1:
                raise ExpertError("its policy.pth has no contents")
            tensors = _tensors(read_pickle(inner.read(pickles[0])))
            found = {_inside(i): i for i in infos}
            if "byteorder" in found and inner.read(found["byteorder"]) != b"little":
                raise ExpertError("its policy.pth has the byte order of another platform")
            members = {t.key: found.get(f"data/{t.key}") for t in tensors.values()}
            return tensors, {key: inner.read(i) for key, i in members.items() if i is not None}
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError) as err:
        raise ExpertError("its policy.pth is damaged") from err


def _inside(info: zipfile.ZipInfo) -> str:
    """Returns a member's name without the top-level folder."""
    return info.filename.split("/", 1)[-1]


def _legacy(data: bytes) -> tuple[dict[str, _Tensor], dict[str, bytes]]:
    """Reads the format before torch 1.6: four pickles, a list of storage keys, and raw bytes."""
    at = 0
    for _ in range(3):  # magic number, protocol version, system
        _, at = read_pickle_at(data, at)
    tree, at = read_pickle_at(data, at)
    tensors = _tensors(tree)
    keys, at = read_pickle_at(data, at)
    by_key = {tensor.key: tensor for tensor in tensors.values()}
    named = isinstance(keys, list) and all(isinstance(key, str | int) for key in keys)
    if not named or {*map(str, keys)} != {*by_key}:
        raise ExpertError("its policy.pth is damaged")
    storages: dict[str, bytes] = {}
    for tensor in (by_key[str(key)] for key in keys):
        begin = at + _COUNT
        if int.from_bytes(data[at:begin], "little") != tensor.size:
            raise ExpertError("its policy.pth declares more numbers than it has, or fewer")
        at = begin + tensor.n_bytes
        storages[tensor.key] = data[begin:at]
    return tensors, storages


def _tensors(tree: Any) -> dict[str, _Tensor]:
    """Returns the tensors of a state dict's pickle, by name."""
    values = tree.items if isinstance(tree, Record) else tree
    if not isinstance(values, dict) or not values or len(values) > _MAX_TENSORS:
        raise ExpertError("its policy.pth is not a dictionary of tensors")
    if not all(isinstance(name, str) for name in values):
        raise ExpertError("its policy.pth is not a dictionary of tensors")
    tensors = {name: _tensor(value) for name, value in values.items()}
    if sum(math.prod(tensor.shape) for tensor in tensors.values()) > _MAX_NUMBERS:
        raise ExpertError(f"its policy.pth has more than {_MAX_NUMBERS:,} numbers")
    return tensors


def _tensor(value: Any) -> _Tensor:
    try:
        if value.name == "torch._utils._rebuild_parameter":
            value = value.args[0]
        stored, offset, shape, strides, *_ = value.args
        tag, kind, key, _, size, *_ = stored.key
        kind = kind.name.removeprefix("torch.").removesuffix("Storage")
        known = value.name == "torch._utils._rebuild_tensor_v2" and tag == "storage"
        numbers = (size, offset, *shape, *strides)
        whole = all(type(n) is int and n >= 0 for n in numbers) and len(shape) <= _MOST_AXES
        # Other keys may be nested tuples, whose string could be arbitrarily long.
        if not known or not whole or kind not in _DTYPES or not isinstance(key, str | int):
            raise ValueError("not a plain tensor")
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if math.prod(shape) + offset > size or (0 not in shape and last >= size):
            raise ValueError("declares a shape that exceeds its storage")
        return _Tensor(str(key), kind, size, offset, tuple(shape), tuple(strides))
    except (AttributeError, TypeError, ValueError, IndexError) as err:
        raise ExpertError("its policy.pth has something else than plain tensors") from err
