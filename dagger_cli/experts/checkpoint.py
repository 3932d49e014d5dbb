"""A `policy.pth` as numpy arrays: checked first, then read by torch with `weights_only=True`.

torch trusts the sizes that a checkpoint declares: they are compared with the bytes there first.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from typing import Any

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.experts.plain_pickle import Record, read_pickle, read_pickle_at
from dagger_cli.experts.zip_guard import refuse_long_directory

_ITEM_SIZES = {
    "Float": 4, "Double": 8, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2,
    "Char": 1, "Byte": 1, "Bool": 1, "Untyped": 1,
}  # fmt: skip
_MAX_TENSORS = 10_000


def read_checkpoint(data: bytes) -> dict[str, Array]:
    """Name to array; raises ExpertError where `data` is not a dictionary of honest tensors."""
    if data[:4] == b"PK\x03\x04":
        _check_zipped(data)
    else:
        _check_legacy(data)
    return {str(name): _to_numpy(str(name), value) for name, value in _load(data).items()}


def _load(data: bytes) -> dict[Any, Any]:
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old formats make torch talk of its own future
        try:
            loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except Exception as err:  # torch raises nearly anything on a damaged file
            raise ExpertError("its policy.pth is not a checkpoint of plain tensors") from err
    if not isinstance(loaded, dict) or len(loaded) > _MAX_TENSORS:
        raise ExpertError("its policy.pth is not a dictionary of tensors")
    return loaded


def _to_numpy(name: str, value: Any) -> Array:
    import torch

    if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
        raise ExpertError(f"'{name[:80]}' in its policy.pth is not a plain tensor")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise ExpertError(f"'{name[:80]}' in its policy.pth declares an absurd shape")
    array: Array = value.detach().to(torch.float32).numpy().copy()
    return array


def _check_zipped(data: bytes) -> None:
    """Every storage must be a stored (not compressed) member with as many bytes as it claims."""
    refuse_long_directory(io.BytesIO(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            infos = inner.infolist()
            compressed = any(i.compress_type or i.file_size != i.compress_size for i in infos)
            if compressed or len(infos) > _MAX_TENSORS:
                raise ExpertError("its policy.pth is compressed, which torch never does")
            sizes = {i.filename.split("/", 1)[-1]: i.file_size for i in infos}
            pickles = [i for i in infos if i.filename.split("/", 1)[-1] == "data.pkl"]
            if len(pickles) != 1:
                raise ExpertError("its policy.pth has no contents")
            tree = read_pickle(inner.read(pickles[0]))
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError) as err:
        raise ExpertError("its policy.pth is damaged") from err
    for kind, key, count in _storages(tree):
        if count * kind > sizes.get(f"data/{key}", -1):
            raise ExpertError("its policy.pth declares more numbers than it has")


def _check_legacy(data: bytes) -> None:
    """Before torch 1.6 a checkpoint was four pickles, a list of storage keys, and raw bytes."""
    at = 0
    for _ in range(3):  # magic number, protocol version, system
        _, at = read_pickle_at(data, at)
    tree, _ = read_pickle_at(data, at)
    declared = {key: kind * count for kind, key, count in _storages(tree)}
    if sum(declared.values()) > len(data):
        raise ExpertError("its policy.pth declares more numbers than it has")


def _storages(tree: Any) -> Iterator[tuple[int, str, int]]:
    """(bytes per number, key, how many) of every storage that the pickle of a state dict names."""
    values: dict[Any, Any] = {}
    if isinstance(tree, dict):
        values = tree
    elif isinstance(tree, Record) and isinstance(tree.items, dict):
        values = tree.items
    if not values:
        raise ExpertError("its policy.pth is not a dictionary of tensors")
    for value in values.values():
        if isinstance(value, Record) and value.name == "torch._utils._rebuild_parameter":
            value = value.args[0] if value.args else None
        yield _storage(value)


def _storage(tensor: Any) -> tuple[int, str, int]:
    try:
        stored, offset, shape, *_ = tensor.args
        tag, kind, key, _, count, *_ = stored.key
        item = _ITEM_SIZES[kind.name.removeprefix("torch.").removesuffix("Storage")]
        absurd = math.prod(shape) + offset > count or min((count, offset, *shape)) < 0
        if tensor.name != "torch._utils._rebuild_tensor_v2" or tag != "storage" or absurd:
            raise ValueError("not a plain tensor")
    except (AttributeError, TypeError, ValueError, KeyError) as err:
        raise ExpertError("its policy.pth holds something else than plain tensors") from err
    return item, str(key), count
