"""The table of docs/continue_with_rl.md is that of its measurement."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

DOCS = Path(__file__).parents[2] / "docs"
ROWS = {
    "small steps, with critic": "careful",
    "small steps, without critic": "careful without critic",
    "usual steps, with critic": "usual",
    "from scratch, usual steps": "scratch",
}


def test_the_table_of_ppo_is_that_of_the_measurement():
    found = json.loads((DOCS / "continue_with_rl.json").read_text())
    text = (DOCS / "continue_with_rl.md").read_text()
    (header,) = re.findall(r"^\| PPO's env steps \|(.*)\| best \|$", text, re.M)
    places = [int(n.replace(",", "")) // found["every"] for n in header.split("|")]
    for row, way in ROWS.items():
        (cells,) = re.findall(rf"^\| {row} \|(.*)\|$", text, re.M)
        curves = np.array(found["returns"][way])
        columns = [*curves.T[places], curves.max(1)]
        wanted = [f"{np.mean(c):.0f} ({', '.join(f'{x:.0f}' for x in c)})" for c in columns]
        assert [cell.strip() for cell in cells.split("|")] == wanted, row
