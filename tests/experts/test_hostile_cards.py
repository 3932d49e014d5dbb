"""Untrusted files in this package's formats: only plain data is accepted."""

from __future__ import annotations

import contextlib
import copy
import json
import math
import shutil
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from trusted import space_of

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Observation
from dagger_cli.experts.bundled import AGENTS
from dagger_cli.experts.path import Path as FromPath

from ..e2e.running import dagger, train

CART = "CartPole-v1"
ODD: list[Any] = [
    None, True, 0, -1, 2**40, 2**70, -2.5, math.inf, math.nan, "", "__class__", "../" * 200,
    [], {}, [1] * 1000, [[[]]], [10**9], {"a": 1},
]  # fmt: skip


def load(folder: Path) -> None:
    """As an expert is loaded and asked; an ExpertError must be one short sentence."""
    env = gymnasium.make(CART)
    spaces = space_of(env.observation_space), space_of(env.action_space)
    try:
        expert = FromPath(path=str(folder), algo=None, deterministic=False).load(CART, *spaces)
    except ExpertError as err:
        assert "\n" not in str(err) and len(str(err)) < 400 + len(str(folder)), err
        raise
    expert.act(
        Observation(np.zeros((2, 4), np.float32), np.zeros(2, np.int64)), np.random.default_rng(0)
    )


def tolerant(folder: Path) -> None:
    with contextlib.suppress(ExpertError):
        load(folder)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in nested JSON."""
    yield at
    inner: Any = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value[:2]) if isinstance(value, list) else inner
    for key, item in inner:
        yield from places(item, (*at, key))


def altered(value: Any, at: tuple[Any, ...], odd: Any) -> Any:
    if not at:
        return odd
    whole = copy.deepcopy(value)
    inner = whole
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = odd
    return whole


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """A copy of the bundled agent."""
    for ending in (".json", ".safetensors"):
        shutil.copy(AGENTS / f"{CART}{ending}", tmp_path / f"agent{ending}")
    load(tmp_path)
    return tmp_path


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_odd_values_in_a_card(odd: Any, agent: Path) -> None:
    """Anything that is not a sentence of ours is an error of this test."""
    card = json.loads((agent / "agent.json").read_text())
    for at in places(card):
        (agent / "agent.json").write_text(json.dumps(altered(card, at, odd)))
        tolerant(agent)
    (agent / "agent.json").write_text(json.dumps(altered(card, ("network", "layers"), odd)))
    with pytest.raises(ExpertError, match=r"damaged|together"):
        load(agent)


HEADER = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}


def safetensors(header: bytes | dict[str, Any], body: bytes = b"\0" * 4, size: int = -1) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size < 0 else size) + text + body


TENSORS = {
    "empty": b"",
    "a pickle": b"cposix\nsystem\n(Vtouch canary\ntR.",
    "huge header": safetensors(HEADER, size=2**60),
    "huge shape": safetensors({"w": {**HEADER["w"], "shape": [2**40]}}),
    "overflowing shape": safetensors({"w": {**HEADER["w"], "shape": [2**33, 2**33]}}),
    "far offsets": safetensors({"w": {**HEADER["w"], "data_offsets": [0, 2**40]}}),
    "backward offsets": safetensors({"w": {**HEADER["w"], "data_offsets": [4, 0]}}),
    "overlap": safetensors({**HEADER, "v": HEADER["w"]}),
    "objects": safetensors({"w": {**HEADER["w"], "dtype": "O"}}),
    "deep": safetensors(b"[" * 100_000),
    "other names": safetensors(HEADER),
    "bfloat": safetensors({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}),
}


@pytest.mark.parametrize("name", TENSORS)
def test_hostile_safetensors(name: str, agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(agent)
    (agent / "agent.safetensors").write_bytes(TENSORS[name])
    tracemalloc.start()
    with pytest.raises(ExpertError):
        load(agent)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20 and not (agent / "canary").exists()


def test_numbers_that_are_none_are_refused(agent: Path) -> None:
    """A network of NaN would act, and teach nothing."""
    from safetensors.numpy import load_file, save_file

    arrays = load_file(agent / "agent.safetensors")
    save_file({k: np.full_like(v, np.nan) for k, v in arrays.items()}, agent / "agent.safetensors")
    with pytest.raises(ExpertError, match="not finite"):
        load(agent)


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = train("rounds=1", cwd=tmp_path_factory.mktemp("pushed"))
    (run / "checkpoints" / "last" / "config.yaml").write_bytes((run / "config.yaml").read_bytes())
    return run / "checkpoints" / "last"


@pytest.fixture
def student(pushed: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "student"
    shutil.copytree(pushed, folder)
    return folder


@pytest.mark.parametrize("odd", ODD[::4], ids=lambda odd: repr(odd)[:20])
def test_odd_values_in_a_manifest(odd: Any, student: Path) -> None:
    manifest = json.loads((student / "checkpoint.json").read_text())
    for at in places(manifest):
        (student / "checkpoint.json").write_text(json.dumps(altered(manifest, at, odd)))
        tolerant(student)


EVIL = {"_target_": "os.system", "command": "touch canary", "_args_": ["touch canary"]}


GROUPS = ("env", "expert", "trainer", "beta_schedule", "validation")


@pytest.mark.parametrize(
    "key", ["policy", *(pytest.param(group, marks=pytest.mark.slow) for group in GROUPS)]
)
def test_a_target_in_a_pushed_config_builds_nothing(key: str, student: Path) -> None:
    """Neither as an expert nor in `dagger eval`; its config.yaml is not read at all."""
    manifest = json.loads((student / "checkpoint.json").read_text())
    config = manifest["config"]
    inner = config.get(key) if isinstance(config.get(key), dict) else {}
    manifest["config"] = {**config, key: {**inner, **EVIL}}
    (student / "checkpoint.json").write_text(json.dumps(manifest))
    (student / "config.yaml").write_text('x: !!python/object/apply:os.system ["touch canary"]\n')
    words = ("env=cartpole", "expert=path", f"expert.path={student}", "episodes=1")
    commands = [
        ("expert", "score", *words), ("eval", f"checkpoint={student}", "episodes=1"),
        ("export", f"checkpoint={student}", "format=torchscript", "path=x.pt"),
    ]  # fmt: skip
    for command in commands:
        done = dagger(*command, cwd=student)
        assert done.code in (0, 2), done.err
        assert len(done.err.splitlines()) == (1 if done.code else 0), done.err
        assert not (student / "canary").exists()
