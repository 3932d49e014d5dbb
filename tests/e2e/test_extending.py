"""Every snippet of docs/extending.md runs, in the order of the page, in one folder."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .running import dagger

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|sh)\n(.*?)```", PAGE, re.S)
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
COMMANDS = [text.strip() for kind, text in BLOCKS if kind == "sh" and "..." not in text]
SHORT = (
    *("expert=bundled", "rounds=2", "steps_per_round=100", "policy.gradient_steps=20"),
    *("validation.episodes=2", "evaluation.episodes=2", "hydra.run.dir=run"),
)


def name_of(text: str) -> str:
    first = re.match(r"# (\w+\.py)\n", text)
    assert first, f"a snippet does not begin with the name of its file: {text[:60]}"
    return first[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the file of every snippet."""
    folder = tmp_path_factory.mktemp("extending")
    for text in PYTHON:
        (folder / name_of(text)).write_text(text)
    return folder


def test_the_page_has_a_snippet_of_every_kind():
    assert len(PYTHON) >= 8 and len(COMMANDS) >= 4
    for kind in ("trainer", "learner", "schedule", "env", "expert", "logger"):
        assert f"check_{kind}" in PAGE


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name == "my_program.py" else ())
        for name in map(name_of, PYTHON)
    ],
)
def test_snippets_run(folder, name):
    command = [sys.executable, "-W", "error::SyntaxWarning", name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(folder, tmp_path, line, monkeypatch):
    for file in folder.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
        monkeypatch.delitem(sys.modules, file.stem, raising=False)
    program, *words = shlex.split(line)
    assert program == "dagger"
    keys = {word.partition("=")[0].partition(".")[0].lstrip("+") for word in words}
    short = [word for word in SHORT if not (word.startswith("expert=") and "expert" in keys)]
    done = dagger(*words, *short, cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err


@pytest.mark.slow
def test_the_shortest_dagger_with_the_api_learns(tmp_path):
    command = [sys.executable, str(ROOT / "examples" / "minimal_dagger.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert float(last.rpartition(" ")[2]) > 300  # of 500
    text = (ROOT / "examples" / "minimal_dagger.py").read_text()
    assert len(text.splitlines()) <= 60 and "hydra" not in text.replace("Hydra:", "")
