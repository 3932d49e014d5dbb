"""Altered archives of agents: nothing in them runs, and every fault is one sentence."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import random
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

from .running import CANARY, Commands
from .runs import evil, places

WORDS = ("expert", "score", "env=cartpole", "expert=path", "expert.path=agent", "episodes=1")


class Touch:
    """Object whose unpickling creates the canary."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {CANARY}",)


def payload(rng: random.Random) -> bytes:
    return rng.choice(
        [
            pickle.dumps(Touch(), protocol=rng.randrange(6)),
            f"cos\nsystem\n(S'touch {CANARY}'\ntR.".encode(),
            f'cbuiltins\nexec\n(S\'open("{CANARY}", "w")\'\ntR.'.encode(),
            pickle.dumps([Touch()] * 3) + b"." * rng.randrange(9),
            b"\x80\x04" + rng.randbytes(40),
        ]
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An agent as stable-baselines3 saves it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from stable_baselines3 import PPO

        path = tmp_path_factory.mktemp("agent") / "agent.zip"
        PPO("MlpPolicy", "CartPole-v1", seed=0, device="cpu", n_steps=16).save(path)
    return path.read_bytes()


def altered(archive: bytes, rng: random.Random) -> bytes:
    """Returns the archive with its bytes, its description or its weights altered."""
    if rng.random() < 0.25:
        data = bytearray(archive)
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        members = {name: old.read(name) for name in old.namelist()}
    kind = rng.random()
    if kind < 0.5:
        members["data"] = described(members["data"], rng)
    elif kind < 0.8:
        members["policy.pth"] = weights(members["policy.pth"], rng)
    elif kind < 0.9:
        members[rng.choice(["../evil", "/etc/evil", "data/../x", "policy.optimizer.pth"])] = b"x"
    else:
        del members[rng.choice(sorted(members))]
    return packed(members)


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)
    return file.getvalue()


def described(text: bytes, rng: random.Random) -> bytes:
    """Alters values of the description, most of which are pickles in base64."""
    data = json.loads(text)
    for _ in range(rng.randint(1, 4)):
        node, key = rng.choice(list(places(data)))
        serialized = isinstance(node[key], str) and key == ":serialized:"
        if serialized or rng.random() < 0.4:
            node[key] = base64.b64encode(payload(rng)).decode()
        else:
            node[key] = evil(rng)
    return json.dumps(data).encode()


def weights(content: bytes, rng: random.Random) -> bytes:
    """Alters torch's file, a zip archive with a pickle and the storages."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        members = {name: old.read(name) for name in old.namelist()}
    name = rng.choice(sorted(members))
    kind = rng.random()
    if name.endswith("data.pkl") or kind < 0.3:
        name = next(one for one in members if one.endswith("data.pkl"))
        data = bytearray(members[name])
        if kind < 0.5:
            members[name] = payload(rng)
        else:
            data[rng.randrange(len(data))] = rng.randrange(256)
            members[name] = bytes(data)
    elif kind < 0.6:
        members[name] = members[name][: rng.randrange(1 + len(members[name]))]
    else:
        members[name] = rng.randbytes(len(members[name]))
    return packed(members)


def test_altered_archives(
    commands: Commands, archive: bytes, tmp_path: Path, seed: int, scale: float
) -> None:
    faults = []
    for number in range(int(20 * scale)):
        rng = random.Random(f"{seed} {number}")
        (tmp_path / "agent.zip").write_bytes(altered(archive, rng))
        words = [word.replace("=agent", "=agent.zip") for word in WORDS]
        done = commands.run(words, tmp_path, timeout=30)
        if done.fault is not None:
            faults.append((seed, number, done.fault))
        if (tmp_path / CANARY).exists() or done.peak_mb > 4000:
            faults.append((seed, number, "it ran", done.peak_mb))
    assert not faults, "\n".join(map(str, faults))


def test_the_unaltered_archive_is_used(commands: Commands, archive: bytes, tmp_path: Path) -> None:
    (tmp_path / "agent.zip").write_bytes(archive)
    words = [word.replace("=agent", "=agent.zip") for word in WORDS]
    done = commands.run(words, tmp_path)
    assert done.code == 0, done.err
