"""The real huggingface_hub against a local Hub.

The library reads its environment variables once, when imported: most tests patch what it read, and
one runs processes of its own with the variables set.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hub_client import Client
from hub_server import TOKEN, serving
from hub_server import Hub as Server
from trusted import space_of

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Observation
from dagger_cli.experts.hub import Hub

ROOT = Path(__file__).parents[2]
DEFAULTS: dict[str, Any] = {
    "algo": "ppo", "repo_id": None, "filename": None, "revision": None, "sha256": None,
    "fallback": "none", "deterministic": True,
}  # fmt: skip


def load(env_id: str = "CartPole-v1", **options: Any) -> dict[str, Any]:
    """What the expert's card says, or the error, and how long it took."""
    env = gymnasium.make(env_id)
    spaces = space_of(env.observation_space), space_of(env.action_space)
    started = time.monotonic()
    try:
        expert = Hub(**{**DEFAULTS, **options}).load(env_id, *spaces)
    except ExpertError as err:
        assert "\n" not in str(err)
        return {"error": f"{type(err).__name__}: {err}", "seconds": time.monotonic() - started}
    obs = np.zeros((3, *spaces[0].shape), np.float32)
    acts = expert.act(Observation(obs, np.zeros(3, np.int64)), np.random.default_rng(0))
    assert acts.from_expert.all() and len(acts.actions) == 3
    card = expert.card
    told = {"source": card.source, "sha256": card.sha256, "notes": list(card.notes)}
    return {**told, "details": dict(card.details), "seconds": time.monotonic() - started}


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No bars, no warnings of the library."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def hub(hub_folder: Path) -> Iterator[Server]:
    with serving() as server:
        for folder in hub_folder.iterdir():
            server.add(f"sb3/{folder.name}", folder)
        yield server


@pytest.fixture
def client(hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    return Client(monkeypatch, tmp_path, hub.url)


def test_fresh_then_cached_then_offline_then_gone(hub: Server, client: Client) -> None:
    fresh = load()
    assert fresh["details"]["commit"] == fresh["source"].split("@")[1]
    assert len(fresh["details"]["commit"]) == 40
    downloads = [key for key in hub.requests if key.startswith("GET") and key.endswith(".zip")]
    assert downloads == ["GET /sb3/ppo-CartPole-v1/resolve/main/ppo-CartPole-v1.zip"]

    hub.requests.clear()
    again = load()
    assert again["sha256"] == fresh["sha256"]
    assert not [
        key for key in hub.requests if key.startswith("GET /sb3")
    ]  # nothing is downloaded twice

    hub.requests.clear()
    client.ask(hub.url, offline=True)
    assert load()["sha256"] == fresh["sha256"]
    assert not hub.requests

    client.ask("http://127.0.0.1:9")
    gone = load()
    assert gone["sha256"] == fresh["sha256"]
    assert gone["seconds"] < 3


def test_statistics_come_from_the_same_commit(hub: Server, client: Client) -> None:
    told = load("BipedalWalker-v3", algo="a2c")
    commit = told["details"]["commit"]
    assert hub.requests[f"GET /sb3/a2c-BipedalWalker-v3/resolve/{commit}/vec_normalize.pkl"] == 1


def test_missing_statistics_are_an_error(hub: Server, client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    shutil.copytree(hub.repos["sb3/a2c-BipedalWalker-v3"]["main"], folder)
    folder.chmod(0o755)
    (folder / "vec_normalize.pkl").unlink()
    hub.add("me/walker", folder)
    told = load("BipedalWalker-v3", algo="a2c", repo_id="me/walker")
    assert "statistics" in told["error"] and "missing" in told["error"]


def test_older_version_is_used_with_a_note(client: Client) -> None:
    told = load("LunarLander-v3")
    assert told["source"].startswith("hub:sb3/ppo-LunarLander-v2@")
    assert told["notes"] == [
        "The Hub has no ppo agent for LunarLander-v3: using the one for LunarLander-v2."
    ]


def test_older_version_is_used_from_the_cache_too(hub: Server, client: Client) -> None:
    online = load("LunarLander-v3")
    for url, offline in ((hub.url, True), ("http://127.0.0.1:9", False)):
        client.ask(url, offline=offline)
        assert load("LunarLander-v3")["source"] == online["source"]


def test_revisions(hub: Server, client: Client, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(hub.repos["sb3/dqn-CartPole-v1"]["main"] / "dqn-CartPole-v1.zip", old / "agent.zip")
    commit = hub.add("me/cart", old, "v1")
    hub.add("me/cart", hub.repos["sb3/ppo-CartPole-v1"]["main"])
    newest = load(repo_id="me/cart")
    for revision in ("v1", commit):
        pinned = load(repo_id="me/cart", revision=revision)
        assert pinned["details"]["commit"] == commit != newest["details"]["commit"]
        assert pinned["sha256"] != newest["sha256"]
    assert "no such revision" in load(repo_id="me/cart", revision="nope")["error"]


def test_not_found_says_what_there_is(client: Client) -> None:
    assert load(algo="a2c")["error"].endswith("try expert.algo=dqn|ppo")
    assert "expert=bundled" in load("Acrobot-v1", algo="a2c")["error"]
    error = load(filename="agent.zip")["error"]
    assert "'agent.zip'" in error and "ppo-CartPole-v1.zip, train_eval_metrics.zip" in error
    assert "not on the Hub, or private" in load(repo_id="no/body")["error"]


def test_private_and_gated_need_a_token(hub: Server, client: Client) -> None:
    hub.private.add("sb3/dqn-CartPole-v1")
    hub.gated.add("sb3/ppo-CartPole-v1")
    assert "HF_TOKEN" in load(repo_id="sb3/dqn-CartPole-v1")["error"]
    assert "is gated" in load()["error"]
    client.patch.setenv("HF_TOKEN", TOKEN)
    assert "source" in load()


@pytest.mark.parametrize("failures", [[500, 500], [429], [503]])
def test_a_busy_hub_is_asked_again(failures: list[int], hub: Server, client: Client) -> None:
    hub.failures.extend(failures)
    assert "source" in load()
    assert not hub.failures


def test_a_broken_hub_is_given_up(hub: Server, client: Client) -> None:
    hub.failures.extend([500] * 50)
    assert "HubUnreachable" in load()["error"]
    assert len(hub.failures) > 30


@pytest.mark.parametrize("cuts", [[40_000], [40_000, 50_000]])
def test_a_cut_connection_is_gone_on_with(cuts: list[int], hub: Server, client: Client) -> None:
    whole = load()["sha256"]
    shutil.rmtree(client.constants.HF_HUB_CACHE)
    client.patch.setattr(client.constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.cuts.extend(cuts)
    assert load()["sha256"] == whole
    assert hub.ranges == ["bytes=40000-", "bytes=90000-"][: len(cuts)] and not hub.cuts


def test_wrong_sha256(client: Client) -> None:
    good = load()["sha256"]
    assert "has the sha256 " + good in load(sha256="0" * 64)["error"]
    assert "source" in load(sha256=good.upper())


def test_a_full_disk_is_one_sentence(client: Client) -> None:
    """And what was half downloaded is not taken for the file afterwards."""
    import errno

    from huggingface_hub import file_download

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with client.patch.context() as patch:
        patch.setattr(file_download, "http_get", full)
        assert "the disk is full" in load()["error"]
    assert "source" in load()


def test_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(monkeypatch, tmp_path, "http://127.0.0.1:9")
    told = load(fallback="bundled")
    assert told["source"] == "bundled:CartPole-v1"
    assert len(told["notes"]) == 1 and "expert.fallback=none" in told["notes"][0]
    assert told["seconds"] < 3
    assert "HubUnreachable" in load()["error"]
    assert (
        "the bundled ppo agent instead of a2c" in load(fallback="bundled", algo="a2c")["notes"][0]
    )
    for pin in (
        {"sha256": "0" * 64},
        {"revision": "v1"},
        {"repo_id": "me/mine", "filename": "a.zip"},
    ):
        error = load(fallback="bundled", **pin)["error"]
        assert f"expert.{next(iter(pin))} is set" in error
    client.ask("http://127.0.0.1:9", offline=True)
    assert "HF_HUB_OFFLINE" in load(fallback="bundled")["notes"][0]


def settings(hub: Server, home: Path) -> dict[str, str]:
    """HF_ENDPOINT and HF_HOME as a user sets them."""
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    folders = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    return {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "PYTHONPATH": folders}


LOADS = [sys.executable, "-c", "from test_hub import load; print(load()['source'])"]


@pytest.mark.slow
def test_the_librarys_own_variables(hub: Server, tmp_path: Path) -> None:
    """Nothing but what we print is printed where nobody watches."""
    done = subprocess.run(
        LOADS, env=settings(hub, tmp_path), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("hub:sb3/ppo-CartPole-v1@")
    assert any((tmp_path / "hub").iterdir())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_the_progress_of_a_download(hub: Server, tmp_path: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with subprocess.Popen(
        LOADS, env=settings(hub, tmp_path), stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says at the end
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    assert process.returncode == 0
    assert b"ppo-CartPole-v1.zip" in shown and b"100%" in shown
