"""The numbers of docs/compare.md, from runs small enough to work out by hand."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("compare", ROOT / "scripts/compare_results.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["compare"]


def run(mean, curve, expert=100.0, failures=0):
    return {
        "student": {"mean": mean, "failures": failures, "episodes": 10},
        "expert": {"mean": expert, "failures": 0, "episodes": 10},
        "labels": curve[-1][0],
        "env_steps": 2 * curve[-1][0],
        "curve": curve,
    }


def test_a_row_of_the_table(script):
    runs = [run(90.0, [[10, 96], [40, 96]], failures=2), run(96.0, [[10, 0], [40, 0]])]
    lines = script.table({"dagger": runs}).splitlines()
    widths = {line.count("|") for line in lines}
    assert len(widths) == 1 and len(lines) == 4
    assert lines[-1] == "| dagger | 2 | 93.0 | ± 38.1 | 90.0 | 1.0 | 40 | 80 | never |"
    runs.append(run(96.0, [[20, 99], [40, 0]]))
    assert script.table({"dagger": runs}).endswith("| 20 (1 never) |")


def test_what_people_wrote_around_a_section_stays(script, tmp_path):
    page = tmp_path / "compare.md"
    page.write_text("# Title\n\nWords before.\n")
    script.write_section(page, "cartpole", "first")
    page.write_text(page.read_text() + "\nWords after.\n")
    script.write_section(page, "bipedal", "other")
    script.write_section(page, "cartpole", "second")
    text = page.read_text()
    assert "first" not in text and text.count("second") == text.count("other") == 1
    assert text.startswith("# Title\n\nWords before.\n") and "\nWords after.\n" in text


def test_only_what_is_missing_is_made(script, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(script, "call", lambda *words: said.append(words))
    (tmp_path / "sup_0").mkdir()
    (tmp_path / "sup_0" / "summary.json").write_text(json.dumps({}))
    (tmp_path / "dart_0" / "checkpoints" / "last").mkdir(parents=True)
    script.make("cartpole", tmp_path, ["sup", "dart", "lols", "smile"], "0")
    resumed, sweep = said
    assert resumed == ("dagger", "train", f"resume={tmp_path / 'dart_0'}")
    assert "trainer=lols,smile" in sweep and "seed=0" in sweep
