"""Every command of README.md composes."""

from __future__ import annotations

import re
import shlex

import pytest

from dagger_cli.cli.shorthands import expand
from dagger_cli.config.options import FOLDER_COMMANDS
from tests.conftest import ROOT
from tests.report.fake_runs import make_sweep

from .running import assert_chosen, dagger

BLOCK = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.M | re.S)
PLACEHOLDER = re.compile(r"<[^>]+>|\b(TIME|SWEEP)\b|\.\.\.|/path/to|\$")


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """The words after `dagger` of every command in a shell block."""
    found = []
    for block in BLOCK.findall(readme()):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.removeprefix("$ ").split("&&"):
                words = shlex.split(part, comments=True)
                if words[:1] == ["dagger"] and words[1:] not in found:
                    found.append(words[1:])
    return found


def test_the_main_command_is_there():
    assert "dagger train env=bipedal beta=linear" in readme()


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_compose(words, tmp_path):
    if PLACEHOLDER.search(" ".join(words)):
        pytest.skip("has a placeholder")
    if words[0] == "tb":
        pytest.skip("starts a server; tests/report has its words")
    if words[0] == "push" or words == ["report", "latest"]:
        pytest.skip("needs a trained run; tests/e2e/test_doc_commands.py has one")
    if words[0] == "bench":
        pytest.skip("runs all trainers; tests/report has a small set")
    if words[0] in FOLDER_COMMANDS or "checkpoint=latest" in words:
        make_sweep(tmp_path / "outputs/cartpole", {"dagger": [9, 8], "sup": [7]}, env="cartpole")
    if words[:1] not in (["train"], ["eval"]):
        assert dagger(*words, cwd=tmp_path).code == 0
        return
    words = [word for word in words if word not in ("-m", "--multirun")]
    single = [re.sub(r"=([^\[\]{}'\"]*?),.*", r"=\1", word) for word in expand(words)]
    # Saved runs are not there to be resumed or scored; what is left must compose.
    single = [word for word in single if not word.startswith("resume=")]
    done = dagger(*single, "--cfg", "job", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert_chosen(single[1:], done.out)
