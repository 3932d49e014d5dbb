"""The table in docs/views.md is that of docs/views_bench.json."""

from __future__ import annotations

import importlib.util
import json

from tests.conftest import ROOT


def test_the_page_has_the_table_of_the_measurement():
    path = ROOT / "scripts" / "views_bench_results.py"
    spec = importlib.util.spec_from_file_location("views_bench_results", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    runs = json.loads((ROOT / "docs" / "views_bench.json").read_text("utf-8"))["runs"]
    assert script.table(runs) in (ROOT / "docs" / "views.md").read_text("utf-8")
