"""The table of docs/continue_with_rl.md is that of its measurement."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
ROWS = {
    "small steps, with critic": "careful",
    "small steps, with critic, kept": "careful, kept",
    "small steps, without critic": "careful without critic",
    "usual steps, with critic": "usual",
    "usual steps, with critic, kept": "usual, kept",
    "from scratch, usual steps": "scratch",
}


@pytest.mark.parametrize("env", ["MountainCar-v0", "CartPole-v1"])
def test_the_table_of_ppo_is_that_of_the_measurement(env):
    found = json.loads((DOCS / "continue_with_rl.json").read_text())[env]
    page = (DOCS / "continue_with_rl.md").read_text()
    text = page.split(f"### {env.split('-')[0]}\n")[1].split("\n### ")[0]
    (header,) = re.findall(r"^\| PPO's env steps \|(.*)\| lowest \|$", text, re.M)
    places = [int(n.replace(",", "")) // found["every"] for n in header.split("|")]
    for row, way in ROWS.items():
        (cells,) = re.findall(rf"^\| {row} \|(.*)\|$", text, re.M)
        curves = np.array(found["returns"][way])
        columns = [*curves.T[places], curves.min(1)]
        wanted = [f"{np.mean(c):.0f} ({', '.join(f'{x:.0f}' for x in c)})" for c in columns]
        assert [cell.strip() for cell in cells.split("|")] == wanted, row


@pytest.mark.parametrize("env, below", [("MountainCar-v0", 2.1), ("CartPole-v1", 13)])
def test_what_is_kept_is_not_below_the_student(env, below):
    found = json.loads((DOCS / "continue_with_rl.json").read_text())[env]["returns"]
    curves = np.concatenate([found["careful, kept"], found["usual, kept"]])
    assert (curves >= curves[:, :1] - below).all()
