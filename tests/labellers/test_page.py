"""The table of docs/labellers.md has the numbers that scripts/bench_labellers.py measured."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture
def script(monkeypatch):
    path = ROOT / "scripts/bench_labellers.py"
    spec = importlib.util.spec_from_file_location("bench_labellers_page", path)
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec.loader.exec_module(script)
    return script


def test_the_table_is_that_of_the_measurement(script):
    page = (ROOT / "docs/labellers.md").read_text(encoding="utf-8").splitlines()
    rows = script.table(json.loads((ROOT / "docs/labellers.json").read_text(encoding="utf-8")))
    assert [row for row in rows if row not in page] == []


def test_the_extrapolation_is_that_of_the_page(script):
    piece = {"ms": 1.0}
    found = script.extrapolated(piece)
    assert found["workers"] == 800 and found["ideal_s"] == 6.25
    assert found["seconds"] == 7.05  # the last worker gets its first piece after 0.8 s
    assert found["main_busy"] == 1562.5 / 1000 / 7.05  # pieces of 3.2 s
