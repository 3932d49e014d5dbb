"""Nothing in a hostile file runs (a canary would appear), none takes much, each gets a sentence."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trusted import normalise

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.archive import read_archive
from dagger_cli.experts.checkpoint import read_checkpoint
from dagger_cli.experts.plain_pickle import read_pickle
from dagger_cli.experts.plain_yaml import read_yaml
from dagger_cli.experts.statistics import read_statistics


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "canary"


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
    "ext": b"\x82\x01.",
    "persid": b"Pcanary\n.",
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


def quick(started: float) -> bool:
    return time.monotonic() - started < 5


@pytest.mark.parametrize("name", [*CALLS, *BOMBS])
def test_hostile_pickles_do_nothing(name: str, canary: Path) -> None:
    data, started = {**CALLS, **BOMBS}[name], time.monotonic()
    with pytest.raises(ExpertError) as caught:
        read_statistics(data)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    with pytest.raises(ExpertError):
        read_checkpoint(data)
    assert not canary.exists() and quick(started)


class Evil:
    def __reduce__(self) -> Any:
        return os.system, (COMMAND.decode(),)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_evil_statistics_inside_honest_ones(protocol: int, canary: Path) -> None:
    """A VecNormalize whose numbers call something, by every protocol."""
    record = _pickled_statistics(Evil(), protocol)
    with pytest.raises(ExpertError, match="system"):
        read_statistics(record)
    assert not canary.exists()
    pickle.loads(record)  # the corpus does bite
    assert canary.exists()


class VecNormalize:
    pass


class RunningMeanStd:
    pass


def _pickled_statistics(mean: Any, protocol: int, **more: Any) -> bytes:
    wrapper, moments = VecNormalize(), RunningMeanStd()
    moments.__dict__.update(mean=mean, var=np.ones(3), count=1.0)
    wrapper.__dict__.update(obs_rms=moments, clip_obs=10.0, epsilon=np.float64(1e-8), norm_obs=True)
    wrapper.__dict__.update(more)
    return pickle.dumps(wrapper, protocol)


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i8"])
def test_honest_statistics_are_read_by_every_protocol(protocol: int, dtype: str) -> None:
    mean = np.arange(3).astype(dtype)
    statistics = read_statistics(_pickled_statistics(mean, protocol))
    assert statistics is not None
    np.testing.assert_array_equal(statistics.mean, [0, 1, 2])
    assert (statistics.clip, statistics.epsilon) == (10.0, 1e-8)
    assert read_statistics(_pickled_statistics(mean, protocol, norm_obs=False)) is None


@pytest.mark.parametrize(
    "mean",
    [np.array([None, 1, 2]), np.array([np.nan, 0, 0]), np.ones(4), "text", None, np.ones(3, "U1")],
    ids=str,
)
def test_odd_statistics_are_refused(mean: Any) -> None:
    with pytest.raises(ExpertError):
        read_statistics(_pickled_statistics(mean, 4))


def test_real_statistics_are_those_of_the_library(hub_folder: Path) -> None:
    path = hub_folder / "a2c-BipedalWalker-v3" / "vec_normalize.pkl"
    found = read_statistics(path.read_bytes())
    assert found is not None
    obs = np.random.default_rng(0).standard_normal((10, 24))
    ours = (obs - found.mean) / np.sqrt(found.variance + found.epsilon)
    np.testing.assert_allclose(ours.clip(-found.clip, found.clip), normalise(path, obs), rtol=1e-6)


# -- archives


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
    "calls in policy": lambda: zipped(**{**honest(), "policy_pth": CALLS["reduce"]}),
    "more rows": lambda: zipped(
        data=b"{}", policy_pth=swapped(b"K\x03K\x03\x86", b"K\x03K\xff\x86")
    ),
    "no stride": lambda: zipped(
        data=b"{}", policy_pth=swapped(b"K\x03K\x01\x86", b"K\xffK\xff\x86")
    ),
    "bigger storage": lambda: zipped(data=b"{}", policy_pth=swapped(b"K\x09t", b"K\xfft")),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", [n for n in ARCHIVES if n != "honest"])
def test_hostile_archives_are_refused(name: str, canary: Path) -> None:
    path = canary.with_name("agent.zip")
    path.write_bytes(ARCHIVES[name]())
    started = time.monotonic()
    with pytest.raises(ExpertError) as caught:
        read_archive(path)
    assert "\n" not in str(caught.value)
    assert not canary.exists() and quick(started)


def test_the_honest_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "agent.zip"
    path.write_bytes(ARCHIVES["honest"]())
    np.testing.assert_array_equal(read_archive(path).tensors["weight"], np.ones((2, 2)))


@pytest.mark.parametrize("legacy", [False, True])
def test_calls_inside_checkpoints_do_nothing(legacy: bool, canary: Path) -> None:
    import torch

    buffer = io.BytesIO()
    torch.save({"weight": Evil()}, buffer, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ExpertError):
        read_checkpoint(buffer.getvalue())
    assert not canary.exists()


def test_legacy_checkpoints_that_declare_more_than_they_have(tmp_path: Path) -> None:
    import torch

    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(3, 3)}, buffer, _use_new_zipfile_serialization=False)
    data = buffer.getvalue()
    np.testing.assert_array_equal(read_checkpoint(data)["weight"], np.ones((3, 3)))
    with pytest.raises(ExpertError, match="more numbers"):
        read_checkpoint(
            data.replace(b"K\x09Nt", b"M\xff\xffNt").replace(b"K\x03K\x03\x86", b"K\x03K\x03\x86")
        )


def test_the_limit_on_memory(tmp_path: Path) -> None:
    """Bombs are refused before they are unpacked: the peak of Python's own memory stays small."""
    import tracemalloc

    paths = []
    for name in ("bomb in data", "bomb in policy", "long directory"):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(ARCHIVES[name]())
    tracemalloc.start()
    for path in paths:
        with pytest.raises(ExpertError):
            read_archive(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


def test_damaged_bytes_never_surprise(tmp_path: Path, hub_folder: Path) -> None:
    """Random damage to real files gives either an agent or one sentence."""
    rng = random.Random(0)
    folder = hub_folder / "ppo-MountainCarContinuous-v0"
    archive = (folder / "ppo-MountainCarContinuous-v0.zip").read_bytes()
    statistics = (folder / "vec_normalize.pkl").read_bytes()
    path = tmp_path / "agent.zip"
    for _ in range(60):
        path.write_bytes(_damaged(archive, rng))
        _tolerant(lambda: read_archive(path))
    for _ in range(400):
        _tolerant(lambda: read_statistics(_damaged(statistics, rng)))


def _damaged(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.randint(0, len(changed))]) if rng.random() < 0.2 else bytes(changed)


def _tolerant(read: Any) -> None:
    try:
        read()
    except ExpertError as err:
        assert "\n" not in str(err)


# -- YAML


def test_yaml_with_python_tags_is_plain_data(canary: Path) -> None:
    told = read_yaml(
        b"!!python/object/apply:collections.OrderedDict\n- - - a\n    - 1\n  - - b\n    - [2]\n"
    )
    assert told == {"a": 1, "b": [2]}
    assert read_yaml(b"{}") == {}
    assert read_yaml(b'a: !!python/object/apply:os.system ["touch canary"]') == {
        "a": ["touch canary"]
    }
    assert not canary.exists()


@pytest.mark.parametrize(
    "text", [b"- a\n- b", b"{", b"x: &a [1]\ny: *a", b"a: " + b"[" * 5000, b"\xff\xff"]
)
def test_odd_yaml_is_refused(text: bytes) -> None:
    with pytest.raises(ExpertError):
        read_yaml(text)


def test_plain_values_survive() -> None:
    value = {"a": [1, 2.5, None, True], "b": ("x", b"y"), "c": {"d": -(2**70)}}
    for protocol in range(6):
        assert read_pickle(pickle.dumps(value, protocol))["a"] == value["a"]
