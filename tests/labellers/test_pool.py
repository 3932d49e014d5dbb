"""Sharing a batch out: every row once and in order, whatever workers do."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.progress import watched
from dagger_cli.labellers import pool as pool_module
from dagger_cli.labellers.answering import Hello, Reply
from dagger_cli.labellers.crew import Done, Lost, Ready
from dagger_cli.labellers.pool import Pool, cut

from .experts import rows

TWICE = 2.0


class Scripted:
    """Workers that answer in an order, and die where, `draw` says."""

    name = "scripted"

    def __init__(self, size, depth, draw, deaths=0, bad=()):
        self.size, self.depth, self._draw, self._deaths, self._bad = size, depth, draw, deaths, bad
        self.starting, self.given, self.most, self.closed = set(), {}, 0, False

    def start(self, worker):
        self.starting.add(worker)
        self.given[worker] = []

    def give(self, worker, piece, method, observation):
        assert worker not in self.starting
        self.given[worker].append((piece, observation))
        self.most = max(self.most, len(self.given[worker]))

    def events(self, seconds):
        busy = [w for w in self.given if w in self.starting or self.given[w]]
        worker = busy[self._draw(len(busy))]
        if self._deaths and self._draw(3) == 0:
            self._deaths -= 1
            self.starting.discard(worker)
            self.given[worker] = []
            return [Lost(worker, "by chance")]
        if worker in self.starting:
            self.starting.discard(worker)
            return [Ready(worker, Hello("digest", "here"))]
        piece, observation = self.given[worker].pop(0)
        values, error = observation.obs * TWICE, None
        found = sorted(set(observation.obs[:, 0].astype(int)) & set(self._bad))
        if found:
            values, error = None, pickle.dumps(ExpertError(f"row {found[0]}"))
        return [Done(worker, piece, Reply(values, 0.01, error))]

    def close(self):
        self.closed = True


def drawn_from(seed):
    rng = np.random.default_rng(seed)
    return lambda n: int(rng.integers(n))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers())
def test_every_row_is_answered_in_its_place(n, size, depth, deaths, seed):
    crew = Scripted(size, depth, drawn_from(abs(seed)), deaths)
    batch = rows(n)
    values, _ = Pool(crew, "digest").answers("act", batch, 0.03)
    np.testing.assert_array_equal(values, batch.obs * TWICE)
    assert crew.most <= depth and not crew.closed


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 59), min_size=1), st.integers(1, 5), st.integers(0, 2), st.integers())
def test_the_error_is_that_of_the_first_row_that_has_one(bad, size, deaths, seed):
    crew = Scripted(size, 2, drawn_from(abs(seed)), deaths, bad)
    with pytest.raises(ExpertError, match=rf"^row {min(bad)}$"):
        Pool(crew, "digest").answers("act", rows(60), 0.03)
    assert crew.closed


@given(st.integers(1, 10_000), st.integers(1, 900), st.floats(0, 10))
def test_pieces_are_nearly_equal_and_as_many_as_workers_if_rows_suffice(n, workers, seconds):
    edges = cut(n, workers, seconds)
    lengths = [b - a for a, b in pairwise(edges)]
    assert (edges[0], edges[-1]) == (0, n) and max(lengths) - min(lengths) <= 1
    assert len(lengths) >= min(n, workers)
    assert max(lengths) * seconds <= max(0.2, 0.004 * workers) or max(lengths) == 1


def test_a_piece_that_kills_three_workers_is_an_error():
    class Deadly(Scripted):
        def events(self, seconds):
            worker = next(w for w in self.given if w in self.starting or self.given[w])
            if worker in self.starting:
                self.starting.discard(worker)
                return [Ready(worker, Hello("digest", "here"))]
            self.given[worker] = []
            return [Lost(worker, "exit code -11")]

    with pytest.raises(ExpertError, match=r"3 workers died over the same 5 states .*code -11"):
        Pool(Deadly(2, 1, None), "digest").answers("act", rows(10), 0.01)


def test_no_worker_starts(monkeypatch):
    class Nobody(Scripted):
        def events(self, seconds):
            return []

    monkeypatch.setattr(pool_module, "LONGEST_START", 3.0)
    with pytest.raises(ExpertError, match="no worker of labeller=scripted has started in 3 s"):
        Pool(Nobody(1, 1, None), "digest").answers("act", rows(10), 0.01)


def test_progress_is_the_share_of_pieces_of_a_batch_that_takes_long(monkeypatch):
    monkeypatch.setattr(pool_module, "SILENT", 0.0)
    seen = []
    with watched(lambda share, what: seen.append((share, what))):
        Pool(Scripted(1, 1, drawn_from(0)), "digest").answers("act", rows(40), 0.02)
        monkeypatch.setattr(pool_module, "SILENT", 60.0)
        Pool(Scripted(1, 1, drawn_from(0)), "digest").answers("act", rows(40), 0.02)
    assert seen == [(i / 4, "labels") for i in range(1, 5)]
