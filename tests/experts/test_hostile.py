"""Malicious files: no code runs (checked by a canary), bounded resources, a one-sentence error."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_files import ARCHIVES, BOMBS, CALLS, Evil
from trusted import normalize

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.sb3.archive import read_archive
from dagger_cli.experts.sb3.safe_pickle import read_pickle
from dagger_cli.experts.sb3.safe_yaml import read_yaml
from dagger_cli.experts.sb3.torch_file import read_checkpoint
from dagger_cli.experts.sb3.vecnormalize import read_statistics


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "canary"


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
    np.testing.assert_allclose(ours.clip(-found.clip, found.clip), normalize(path, obs), rtol=1e-6)


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


def test_many_tensors_of_one_storage_are_not_copied_out_of_it() -> None:
    import torch

    shared, buffer = torch.zeros(2**20, dtype=torch.uint8), io.BytesIO()
    torch.save({str(i): shared for i in range(40)}, buffer)
    assert len(buffer.getvalue()) < 2**21
    with pytest.raises(ExpertError, match="more than 33,554,432 numbers"):
        read_checkpoint(buffer.getvalue())


def test_a_storage_is_named_by_a_word_and_not_by_what_takes_for_ever_to_write_out() -> None:
    # A pair of twice the last pair, taken off the stack and kept.
    doubled = b"K\x00q\x050" + b"h\x05h\x05\x86q\x050" * 60 + b"h\x05"
    stored = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n" + doubled + b"NK\x01tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + stored + b"K\x00K\x01\x85K\x01\x85tR"
    pickled = b"\x80\x02}X\x01\x00\x00\x00w" + tensor + b"s."
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", pickled)
    started = time.monotonic()
    with pytest.raises(ExpertError, match="something else than plain tensors"):
        read_checkpoint(buffer.getvalue())
    assert quick(started)


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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in the units of Linux")
def test_the_limits_on_memory_and_time(tmp_path: Path) -> None:
    """Each file in a process of its own: 200 MiB above an honest one's and 5 s are the limits."""
    script = Path(__file__).with_name("measure.py")
    folders = os.pathsep.join([str(script.parents[2]), str(script.parent)])
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": folders},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    measured = json.loads(done.stdout)
    pickles = {f"pickle {name}" for name in (*CALLS, *BOMBS)}
    assert set(measured) == {*ARCHIVES, *pickles, *(f"damaged {n}" for n in range(20))}
    for name, (answer, mebibytes, seconds) in measured.items():
        allowed = ("read", "refused") if name == "honest" or "damaged" in name else ("refused",)
        assert answer in allowed, (name, answer)
        assert mebibytes < 200 and seconds < 5, (name, mebibytes, seconds)
    assert not (tmp_path / "canary").exists()


def test_every_operation_of_pickle_is_inert_or_refused() -> None:
    """Those that call or look something up make a Record, or are not known at all."""
    import pickletools

    from dagger_cli.experts.sb3.safe_pickle import _STEPS

    unknown = {op.name for op in pickletools.opcodes} - set(_STEPS) - {"STOP"}
    assert unknown == {
        "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER", "PERSID",
    }  # fmt: skip


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
