"""`policy.pth` read without torch's loader: the numbers are those that torch itself reads."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.sb3.torch_file import read_checkpoint

KINDS = (
    *(torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32),
    *(torch.int16, torch.int8, torch.uint8, torch.bool),
)


def saved(state: Any, *, legacy: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    whole = torch.randn(6, 5)
    kinds = {f"kind {i}": (torch.randn(7) * 50).to(kind) for i, kind in enumerate(KINDS)}
    return {
        **kinds,
        "whole": whole,
        "turned": whole.t(),
        "part": whole[2:4, 1:],
        "every other": whole[:, ::2],
        "number": torch.tensor(3.5),
        "nothing": torch.zeros(0, 4),
        "parameter": nn.Parameter(torch.randn(2, 3, 4)),
    }


@pytest.mark.parametrize("legacy", [False, True])
def test_the_numbers_are_those_that_torch_reads(legacy):
    data = saved(state(), legacy=legacy)
    found, theirs = read_checkpoint(data), torch.load(io.BytesIO(data), weights_only=True)
    assert found.keys() == theirs.keys()
    for name, array in found.items():
        wanted = theirs[name].detach().to(torch.float32).numpy()
        assert array.dtype == np.float32 and array.shape == wanted.shape, name
        assert np.array_equal(array, wanted), name


@pytest.mark.parametrize("legacy", [False, True])
def test_a_modules_own_state_is_read(legacy):
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    found = read_checkpoint(saved(module.state_dict(), legacy=legacy))
    assert list(found) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert np.array_equal(found["2.weight"], module[2].weight.detach().numpy())


@pytest.mark.parametrize(
    "old, new, says",
    [
        # A tensor of 3 x 3 is BININT1 3 twice and TUPLE2; its strides, 3 and 1, come after it.
        (b"K\x03K\x03\x86", b"K\x03K\x04\x86", "something else than plain tensors"),
        (b"K\x03K\x01\x86", b"K\x05K\x01\x86", "something else than plain tensors"),
        (b"FloatStorage", b"QuantStorage", "something else than plain tensors"),
        (b"_rebuild_tensor_v2", b"_rebuild_tensor_vX", "something else than plain tensors"),
    ],
)
def test_tensors_that_claim_what_is_not_there_are_refused(old, new, says):
    data = saved({"weight": torch.ones(3, 3)}, legacy=True)
    assert old in data
    with pytest.raises(ExpertError, match=says):
        read_checkpoint(data.replace(old, new))


def test_an_old_file_whose_storage_has_another_length_is_refused():
    data = saved({"weight": torch.ones(3, 3)}, legacy=True)
    at = data.rindex(struct.pack("<q", 9))
    with pytest.raises(ExpertError, match="more numbers than it has, or fewer"):
        read_checkpoint(data[:at] + struct.pack("<q", 8) + data[at + 8 :])
    with pytest.raises(ExpertError, match="more numbers than it has"):
        read_checkpoint(data[:-1])


def test_another_byte_order_is_refused():
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved({"weight": torch.ones(3)}, legacy=False))) as old,
        zipfile.ZipFile(buffer, "w") as new,
    ):
        for info in old.infolist():
            big = info.filename.endswith("byteorder")
            new.writestr(info.filename, b"big" if big else old.read(info))
    with pytest.raises(ExpertError, match="byte order"):
        read_checkpoint(buffer.getvalue())
