"""docs/views_map.md is the page of docs/views_bench.json, docs/views.md has its last table."""

from __future__ import annotations

import importlib
import json

from tests.conftest import ROOT


def test_the_page_is_that_of_the_measurements(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("views_bench_results")
    runs = json.loads((ROOT / "docs" / "views_bench.json").read_text("utf-8"))["runs"]
    assert (ROOT / "docs" / "views_map.md").read_text("utf-8") == script.page(runs)
    assert script.finals(runs) in (ROOT / "docs" / "views.md").read_text("utf-8")
