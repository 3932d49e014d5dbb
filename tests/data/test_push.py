"""`dagger data push` to a local Hub: the file and its card, in one commit."""

from __future__ import annotations

import pytest
import yaml

from dagger_cli.data.read import read_episodes

from ..e2e.running import dagger, train
from ..experts.hub_client import Client
from ..experts.hub_server import TOKEN, serving

REPO = "me/cart-data"


@pytest.fixture
def hub(tmp_path):
    with serving() as server:
        server.storage = tmp_path / "stored"
        yield server


def test_a_pushed_data_set_comes_back_and_its_card_says_what_it_is(hub, tmp_path, monkeypatch):
    Client(monkeypatch, tmp_path / "hub", hub.url)
    train("rounds=1", cwd=tmp_path)
    words = ("data", "push", "run=run", f"repo_id={REPO}", "format=npz")
    refused = dagger(*words, cwd=tmp_path)
    assert refused.code == 2 and "your token is missing" in refused.err
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    done = dagger(*words, cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert hub.requests[f"POST /api/datasets/{REPO}/commit/main"] == 1
    stored = tmp_path / "stored" / REPO
    assert len(read_episodes(stored / "data.npz")) == 100
    card = (stored / "README.md").read_text()
    metadata = yaml.safe_load(card.split("---")[1])
    assert "dagger-cli" in metadata["tags"]
    assert "100 steps in 8 episodes of CartPole-v1" in card
    assert "expert.path=cart-data/data.npz" in card and "| `from_expert` | bool |" in card


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("repo_id=cart",), "must look like user/name"),
        (("repo_id=me/cart", "format=minari"), "format must be one of"),
        (("repo_id=me/cart", "private=maybe"), "private must be one of true, false"),
    ],
)
def test_bad_words(words, said, tmp_path):
    done = dagger("data", "push", "run=nowhere", *words, cwd=tmp_path)
    assert done.code == 2 and said in done.err
