"""Sources of words: the published file, its cache, synthetic words, a user's file."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import threading

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.envs.handwriting import download
from dagger_cli.envs.handwriting import letters as letters_module
from dagger_cli.envs.handwriting.letters import ALPHABET, parse_letters, read_letters
from dagger_cli.envs.handwriting.shapes import STROKES, WORDS
from dagger_cli.envs.handwriting.synthetic import synthetic_letters
from dagger_cli.envs.sequences.jsonl import read_sequences, sequence

from .conftest import source


def line(number: int, letter: str, following: int, fold: int, pixels: str = "0" * 128) -> str:
    return "\t".join([str(number), letter, str(following), "1", "1", str(fold), *pixels, ""])


TWO_WORDS = "\n".join(
    [line(1, "a", 2, 0), line(2, "b", -1, 0, "1" * 128), line(3, "z", -1, 7)]
).encode()


def test_the_format():
    words, folds = parse_letters(TWO_WORDS, "x")
    assert words.starts.tolist() == [0, 2, 3] and folds.tolist() == [0, 7]
    assert words.labels.tolist() == [0, 1, 25]
    assert words.tokens.sum(1).tolist() == [0, 128, 0] and words.tokens.dtype == np.uint8


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "is empty"),
        (b"hello\n", "line 1: not a line of letter.data"),
        (TWO_WORDS.replace(b"\tb\t", b"\tB\t"), "line 2: not a line"),
        (TWO_WORDS.rpartition(b"\n")[0].replace(b"-1", b"3"), "ends within a word"),
        (TWO_WORDS.replace(b"\t7\t", b"\t11\t"), "folds 0 to 9"),
        (TWO_WORDS.replace(b"\t1\t1\t1", b"\t1\t5\t1"), "pixels must be 0 or 1"),
        (TWO_WORDS.replace(b"\t7\t", b"\tx\t"), "is not a letter.data"),
    ],
)
def test_a_damaged_file_is_one_sentence(text, says):
    with pytest.raises(EnvError, match=says):
        parse_letters(text, "x")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(EnvError, match=r"cannot be read .*env\.data=synthetic"):
        read_letters(tmp_path / "nothing")
    packed = gzip.compress(TWO_WORDS)
    for damaged in (packed[:-12], packed[:20] + b"??" + packed[22:]):
        (tmp_path / "cut.gz").write_bytes(damaged)
        with pytest.raises(EnvError, match=r"damaged|cut off"):
            read_letters(tmp_path / "cut.gz")


def test_the_real_letters(letters):
    words, folds = read_letters(letters)
    assert (len(words), len(words.labels)) == (6877, 52_152)
    per_fold = [int(words.lengths[folds == fold].sum()) for fold in range(10)]
    assert per_fold == [4617, 5375, 5110, 5353, 5270, 5001, 5583, 5370, 5331, 5142]
    assert (words.lengths.min(), words.lengths.max()) == (3, 14)
    text = "".join(ALPHABET[label] for label in words.labels[: words.starts[1]])
    assert text == "ommanding"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A server that gives out `served.body`, and an empty cache."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.url = 0, f"http://127.0.0.1:{server.server_port}/letter.data.gz"
    monkeypatch.setenv("DAGGER_CACHE", str(tmp_path / "cache"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def publish(monkeypatch, text: bytes) -> None:
    monkeypatch.setattr(letters_module, "SHA256", hashlib.sha256(text).hexdigest())


def test_downloaded_once_and_checked(served, monkeypatch):
    publish(monkeypatch, TWO_WORDS)
    served.body = gzip.compress(TWO_WORDS)
    for _ in range(2):
        assert download.cached_letters(served.url) == TWO_WORDS
    assert served.asked == 1


def test_another_file_is_refused_and_not_kept(served):
    served.body = gzip.compress(TWO_WORDS)
    with pytest.raises(EnvError, match=r"is not the published letter\.data"):
        download.cached_letters(served.url)
    assert not list(download.cache_folder().glob("**/*"))


def test_a_damaged_cache_is_noticed(served, monkeypatch):
    publish(monkeypatch, TWO_WORDS)
    kept = download.cache_folder() / "letter.data.gz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(gzip.compress(TWO_WORDS + b"\n"))
    with pytest.raises(EnvError, match="delete it if it is in the cache"):
        download.cached_letters(served.url)


def test_without_network_both_ways_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGGER_CACHE", str(tmp_path))
    with pytest.raises(EnvError, match=r"env\.data=path.*env\.data=synthetic"):
        download.cached_letters("http://127.0.0.1:9/letter.data.gz")


def test_the_published_hash_is_of_the_real_file(letters, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGGER_CACHE", str(tmp_path))
    (tmp_path / "letter.data.gz").write_bytes(letters.read_bytes())
    assert len(download.cached_letters("http://127.0.0.1:9/")) == letters_module.SIZE


def test_synthetic_words_are_always_the_same_and_legible():
    synthetic_letters.cache_clear()
    words, folds = synthetic_letters()
    assert len(words) == 1500 and set(folds) == set(range(10))
    assert set(words.labels) == set(range(26)) and set(STROKES) == set(ALPHABET)
    spelled = "".join(ALPHABET[i] for i in words.labels[: words.starts[1]])
    assert spelled in WORDS
    first = words.tokens.copy()
    synthetic_letters.cache_clear()
    np.testing.assert_array_equal(synthetic_letters()[0].tokens, first)
    # The nearest class mean of the other half tells most letters apart, as in real handwriting.
    half = len(words.labels) // 2
    train, test = words.tokens[:half].astype(float), words.tokens[half:].astype(float)
    means = np.stack([train[words.labels[:half] == c].mean(0) for c in range(26)])
    guess = ((test[:, None] - means) ** 2).sum(2).argmin(1)
    assert 0.6 < (guess == words.labels[half:]).mean() < 0.98


def test_jsonl(sentences):
    sequences, split = read_sequences(sentences, fold=0, held_out=0)
    assert sequences.names == ("A", "D", "N", "P", "V")
    assert sequences.tokens.dtype == np.uint8 and sequences.tokens.shape[1] == 60
    assert [len(part) for part in (split.train, split.validation, split.test)] == [64, 8, 8]
    assert sequences.lengths[:4].tolist() == [6, 6, 6, 2]


def write(path, *values) -> None:
    path.write_text("\n".join(v if isinstance(v, str) else json.dumps(v) for v in values))


def good(**more):
    return {"tokens": [[0.5], [1]], "labels": [3, 10], **more}


def test_jsonl_with_folds_or_with_nothing(tmp_path):
    path = tmp_path / "x.jsonl"
    write(path, *(good(fold=i % 3) for i in range(6)))
    sequences, split = read_sequences(path, fold=2, held_out=1)
    assert sequences.names == ("3", "10") and sequences.tokens.dtype == np.float32
    assert [p.tolist() for p in (split.train, split.validation, split.test)] == [
        [1, 4], [0, 3], [2, 5],
    ]  # fmt: skip
    write(path, *(good() for _ in range(12)))
    _, split = read_sequences(path, fold=1, held_out=0)
    assert split.test.tolist() == [1, 11] and len(split.train) == 10


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "is empty"),
        ([good(), "{"], "line 2: not JSON"),
        (["[1]"], 'an object with "tokens" and "labels"'),
        ([good(name=1)], "besides those only"),
        ([good(labels=[1])], "2 tokens but 1 labels"),
        ([good(labels=[1, None])], "strings or whole numbers"),
        ([good(labels=[1, "a"])], "all strings or all whole numbers"),
        ([good(labels=[1, 1])], "nothing to learn"),
        ([good(tokens=[[1], [2, 3]])], "line 1: tokens must be .* of one length"),
        ([good(tokens=[["1"], ["2"]])], "lists of finite numbers"),
        ([good(tokens=[[True], [False]])], "lists of finite numbers"),
        ([good(tokens=[[1e39], [1]])], "finite"),
        ([good(tokens=[[10**400], [1]])], "finite"),
        ([good(tokens=[[], []])], "lists of finite numbers"),
        ([good(tokens=3)], "lists of finite numbers"),
        ([good(tokens=[], labels=[])], "lists of finite numbers"),
        (["[" * 100_000], "brackets too deep"),
        (["9" * 5000], "numbers too long"),
        ([good(tokens=[[1], [float("inf")]])], "finite"),
        ([good(), good(tokens=[[1, 2], [3, 4]])], "line 2: 2 features per token, but 1"),
        ([good(split="dev")], "split must be one of"),
        ([good(fold=-1)], "fold must be a whole number"),
        ([good(fold=10**20)], "from 0 to 9999"),
        ([good(split="train"), good()], "in every line, or in none"),
        ([good(split="train"), good(split="train")], "of \"split\" test"),
        ([good(fold=0), good(fold=0)], "at least 2 folds"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file(tmp_path, lines, says):
    path = tmp_path / "x.jsonl"
    write(path, *lines)
    with pytest.raises((EnvError, ConfigError), match=says):
        read_sequences(path, fold=0, held_out=0)


def test_fold_has_no_effect_on_a_file_that_splits_itself(sentences):
    with pytest.raises(ConfigError, match="have no effect"):
        read_sequences(sentences, fold=1, held_out=0)


def test_sources(sentences):
    split = {"data": str(sentences), "fold": 0, "held_out": 0, "validate_on_test": False}
    made = sequence(id="s", **split, history=1, before=1, after=0)
    assert made.observation_space.shape == (125,) and made.action_space.sizes == (5,)
    assert (made.test_episodes, made.validation_episodes, made.horizon) == (8, 8, 6)
    assert source().test_episodes == 150
    with pytest.raises(EnvError, match="cannot be shown"):
        made.play(None, [0], None, "human")
