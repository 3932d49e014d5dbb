"""`dagger push` to a local Hub, and loading of the pushed policy."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from ..experts.hub_client import Client
from ..experts.hub_server import TOKEN, serving
from .running import dagger, train

REPO = "me/cart"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train("rounds=3", cwd=tmp_path_factory.mktemp("pushed"))


@pytest.fixture
def hub(tmp_path):
    with serving() as server:
        server.storage = tmp_path / "stored"
        yield server


@pytest.fixture
def client(hub, tmp_path, monkeypatch):
    client = Client(monkeypatch, tmp_path / "hub", hub.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return client


def push(run: Path, tmp_path: Path, *words: str, repo: str = REPO) -> Path:
    done = dagger("push", f"checkpoint={run}", f"repo_id={repo}", *words, cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert f"expert=hub expert.repo_id={repo}" in done.out
    return tmp_path / "stored" / repo


def test_a_pushed_student_comes_back_equal(run, hub, client, tmp_path):
    stored = push(run, tmp_path)
    best = run / "checkpoints" / "best"
    for name in ("policy.safetensors", "checkpoint.json"):
        assert (stored / name).read_bytes() == (best / name).read_bytes()
    for name in ("config.yaml", "metrics.jsonl", "summary.json"):
        assert (stored / name).read_bytes() == (run / name).read_bytes()
    assert hub.requests[f"POST /api/models/{REPO}/commit/main"] == 1  # all of it, or nothing

    hubbed = ("env=cartpole", "expert=hub", f"expert.repo_id={REPO}", "expert.fallback=none")
    words = ("episodes=3", "env.max_episode_steps=60")
    asked = dagger("expert", "score", *hubbed, *words, cwd=tmp_path)
    own = dagger("eval", f"checkpoint={run}", "episodes=3", cwd=tmp_path)
    assert (asked.code, asked.err) == (0, "")
    means = [re.search(r"^mean +(\S+)$", text, re.M)[1] for text in (own.out, asked.out)]
    assert means[0] == means[1]
    summary = json.loads((run / "summary.json").read_text())["student"]
    assert re.search(rf"published +{summary['mean']:.1f} \S+ {summary['std']:.1f}", asked.out)

    client.ask(hub.url, offline=True)
    assert dagger("expert", "show", *hubbed, cwd=tmp_path).code == 0  # from the cache


def test_a_download_is_a_checkpoint(run, hub, client, tmp_path):
    from huggingface_hub import snapshot_download

    push(run, tmp_path)
    snapshot_download(REPO, local_dir=tmp_path / "down")
    scores = [
        dagger("eval", f"checkpoint={path}", "episodes=3", cwd=tmp_path).out.partition("mean")[2]
        for path in (run, tmp_path / "down")
    ]
    assert scores[0] == scores[1] and "std" in scores[0]
    shown = dagger(
        "expert", "show", "env=cartpole", "expert=path", "expert.path=down", cwd=tmp_path
    )
    assert "dagger student (round" in shown.out


def test_the_card_says_what_it_is(run, hub, client, tmp_path):
    (tmp_path / "walk.mp4").write_bytes(b"film")
    stored = push(run, tmp_path, "video=walk.mp4")
    text = (stored / "README.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["library_name"] == "dagger-cli" and "imitation-learning" in head["tags"]
    student = json.loads((run / "summary.json").read_text())["student"]
    (metric,) = head["model-index"][0]["results"][0]["metrics"]
    assert metric["value"] == f"{student['mean']:.2f} +/- {student['std']:.2f}"
    assert f"| student | {student['mean']:,.2f} | {student['std']:,.2f} |" in text
    assert "| expert |" in text and "Seeds 1000 to 1003" in text
    for line in (
        f"dagger train env=cartpole expert=hub expert.repo_id={REPO}",
        "dagger eval checkpoint=cart",
        "![replay](replay.mp4)",
        "![validation return by labels](curve.png)",
    ):
        assert line in text
    config = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    assert config == yaml.safe_load((run / "config.yaml").read_text())
    assert (stored / "replay.mp4").read_bytes() == b"film"
    assert (stored / "curve.png").read_bytes().startswith(b"\x89PNG")
    results = json.loads((stored / "results.json").read_text())
    assert results["mean_reward"] == student["mean"] and results["n_eval_episodes"] == 4


@pytest.mark.slow
def test_any_policy_is_offered_as_an_expert(hub, client, tmp_path):
    words = "env=handwriting env.data=synthetic policy=svm rounds=1 steps_per_round=200"
    assert dagger("train", *words.split(), "hydra.run.dir=run", cwd=tmp_path).code == 0
    done = dagger("push", "checkpoint=run", f"repo_id={REPO}", cwd=tmp_path)
    text = (tmp_path / "stored" / REPO / "README.md").read_text()
    assert f"use it  expert=hub expert.repo_id={REPO}" in done.out
    assert f"dagger train env=handwriting expert=hub expert.repo_id={REPO}\n" in text


def test_pushing_again_replaces_and_last_is_another_round(run, hub, client, tmp_path):
    stored = push(run, tmp_path)
    push(run / "checkpoints" / "last", tmp_path)
    last = run / "checkpoints" / "last" / "checkpoint.json"
    assert (stored / "checkpoint.json").read_bytes() == last.read_bytes()


def test_private_repositories_need_the_token_to_be_read(run, hub, client, tmp_path):
    push(run, tmp_path, "private=true")
    assert hub.private == {REPO}
    client.patch.delenv("HF_TOKEN")
    words = ("env=cartpole", "expert=hub", f"expert.repo_id={REPO}")
    done = dagger("expert", "show", *words, cwd=tmp_path)
    assert done.code == 2 and "private" in done.err and "HF_TOKEN" in done.err


def test_a_busy_hub_is_asked_again(run, hub, client, tmp_path):
    hub.failures.extend([503, 500])
    push(run, tmp_path)
    assert not hub.failures


WRONG = {
    "repo_id=cart": r"repo_id must look like user/name, got 'cart'",
    "repo_id=me/x video=gone.mp4": r"video=gone.mp4 is not an .mp4 file",
    "repo_id=me/x checkpoint=gone": r"there is no run or checkpoint at gone",
    "": r"repo_id needs a value",
}


@pytest.mark.parametrize("words", WRONG)
def test_one_sentence_and_nothing_sent(words, run, hub, client, tmp_path):
    done = dagger("push", f"checkpoint={run}", *words.split(), cwd=tmp_path)
    assert done.code == 2 and len(done.err.splitlines()) == 1
    assert re.search(WRONG[words], done.err) and not hub.requests


@pytest.mark.parametrize("name", ["policy.safetensors", "config.yaml"])
def test_nothing_altered_and_nothing_elsewhere_is_sent(name, run, hub, client, tmp_path):
    shutil.copytree(run, tmp_path / "copy", symlinks=True)
    if name == "config.yaml":
        (tmp_path / "secret").write_text("mine")
        (tmp_path / "copy" / name).unlink()
        (tmp_path / "copy" / name).symlink_to(tmp_path / "secret")
    else:
        path = tmp_path / "copy" / "checkpoints" / "best" / name
        path.write_bytes(path.read_bytes()[:-1])
    done = dagger("push", "checkpoint=copy", f"repo_id={REPO}", cwd=tmp_path)
    assert done.code == 2 and not hub.requests
    assert re.search("truncated or altered, so it is not uploaded|outside .*: refused", done.err)


def test_no_token_no_network_offline(run, hub, client, tmp_path):
    client.patch.delenv("HF_TOKEN")
    words = ("push", f"checkpoint={run}", f"repo_id={REPO}")
    done = dagger(*words, cwd=tmp_path)
    assert done.code == 2 and "your token is missing or has no write access" in done.err
    client.ask("http://127.0.0.1:9")
    done = dagger(*words, cwd=tmp_path)
    assert done.code == 2 and f"no reply from the Hub for the upload to '{REPO}'" in done.err
    client.ask(hub.url, offline=True)
    done = dagger(*words, cwd=tmp_path)
    assert done.code == 2 and "HF_HUB_OFFLINE" in done.err
    assert not (tmp_path / "stored").exists()
