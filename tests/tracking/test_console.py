from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from dagger_cli.core.progress import fitted, watched
from dagger_cli.core.types import Usage
from dagger_cli.tracking.console import Console

from .test_metrics import SCORE, finished

LINES = [("env", "toy-v0"), ("expert", "[red]a2c[/red] 300.1")]
RUN = Path("outputs/bipedal/dagger/2026-11-22_17-20-30_and_a_long_name_to_go_beyond_eighty")


def show(*, width: int, terminal: bool, rounds: int = 12, failure: str | None = "falls") -> str:
    file = io.StringIO()
    out = RichConsole(file=file, width=width, force_terminal=terminal)
    console = Console(rounds=rounds, failure_name=failure, out=out)
    console.start(LINES, ["the Hub did not answer"])
    for round in range(1, rounds + 1):
        console(finished(round))
    with console.evaluating(4, "student") as progress:
        for done in range(1, 5):
            progress(done, 100 * done)
    scores = {"expert": SCORE, "student (best)": replace(SCORE, returns=SCORE.returns * 100)}
    console.finish(scores, usage=Usage(1200, 1200), wall_seconds=61.2, run=RUN)
    return file.getvalue()


def test_one_plain_line_a_round_where_there_is_no_terminal() -> None:
    lines = show(width=80, terminal=False).splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[:3] == [
        "env     toy-v0",
        "expert  [red]a2c[/red] 300.1",
        "note: the Hub did not answer",
    ]
    rounds = [line for line in lines if line.startswith("round ")]
    assert len(rounds) == 12
    metrics, times = rounds[0].split("  0:00:", 1)
    assert metrics == "round  1/12  beta 0.25  labels 100  loss 0.5  return 4.00 ± 2.24"
    assert re.fullmatch(r"\d\d elapsed  0:00:\d\d left", times)
    assert rounds[-1].endswith("0:00:00 left")
    assert lines.count("evaluating student: 4 episodes") == 1


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("width", [50, 80])
def test_commands_stay_on_one_line(width: int, terminal: bool) -> None:
    lines = show(width=width, terminal=terminal).splitlines()
    assert f"evaluate  dagger eval checkpoint={RUN}" in lines
    assert f"watch     dagger eval checkpoint={RUN} render=human" in lines
    assert f"curves    tensorboard --logdir {RUN}" in lines
    assert f"resume    dagger train resume={RUN}" in lines


@pytest.mark.parametrize("width", [50, 80])
def test_the_table_fits(width: int) -> None:
    lines = show(width=width, terminal=False).splitlines()
    head = lines.index(next(line for line in lines if line.startswith("return ")))
    assert [line.split() for line in lines[head : head + 3]] == [
        ["return", "mean", "std", "min", "falls", "episodes"],
        ["expert", "4.0", "2.2", "1.0", "1", "4"],
        ["student", "(best)", "400.0", "223.6", "100.0", "1", "4"],
    ]
    assert max(map(len, lines[head : head + 3])) <= width
    assert "wall time  0:01:01" in lines


def test_no_failures_where_an_episode_cannot_fail() -> None:
    assert "falls" not in show(width=80, terminal=False, failure=None)


@pytest.mark.parametrize("width", [50, 80])
def test_a_terminal_keeps_a_line_a_round_above_the_bar(width: int) -> None:
    shown = show(width=width, terminal=True)
    text = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", shown).replace("\r", "\n")
    lines = [line.strip() for line in text.splitlines()]
    for n in range(1, 13):
        counter = f"round {n:>2}/12  beta 0.25  labels {n * 100:,}  loss 0.5  return 4.00 ± 2.24"
        assert lines.count(counter) == 1
    assert any(re.match(r"rounds 12/12 .* left 0:00:00", line) for line in lines)
    assert max(len(line) for line in lines if line.startswith("rounds ")) <= width
    assert any(line.startswith("student 4/4") for line in lines)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 2  # the cursor is back


def test_how_far_a_fit_is_stands_in_the_bar() -> None:
    file = io.StringIO()
    out = RichConsole(file=file, width=80, force_terminal=True)
    console = Console(rounds=3, out=out)
    console.start(LINES)
    with watched(console.fitting):
        fitted(32, 64)
        fitted(33, 64)  # only every 16th batch is shown
    fitted(48, 64)
    console.close()
    assert "fit 50%" in file.getvalue() and "fit 7" not in file.getvalue()


def test_a_long_fit_is_not_silent_without_a_terminal() -> None:
    file = io.StringIO()
    console = Console(rounds=3, out=RichConsole(file=file, width=80))
    console.start(LINES)
    console.fitting(0.1)
    console._said -= 60
    console.fitting(0.25)
    console.fitting(0.5)
    assert [line for line in file.getvalue().splitlines() if "fit" in line] == [
        "round 1/3  fit 25%"
    ]


@pytest.mark.parametrize("columns", ["0", "", "-3", "x", "²"])
def test_a_width_that_is_none_is_not_believed(columns, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    Console(rounds=1).start(LINES)
    assert "toy-v0" in capsys.readouterr().out


def test_a_line_break_in_a_name_forges_no_line(capsys) -> None:
    Console().start([("run", "a\nresume  dagger train resume=evil")])
    assert (
        capsys.readouterr().out
        == "run  a\N{REPLACEMENT CHARACTER}resume  dagger train resume=evil\n\n"
    )


def test_an_interrupted_run_gives_the_cursor_back() -> None:
    file = io.StringIO()
    out = RichConsole(file=file, width=80, force_terminal=True)
    console = Console(rounds=3, failure_name=None, out=out)
    console.start(LINES)
    console(finished(1))
    console.close()
    console.close()
    assert file.getvalue().count("\x1b[?25h") == 1


def test_a_resumed_run_goes_on_counting() -> None:
    file = io.StringIO()
    console = Console(rounds=12, failure_name=None, out=RichConsole(file=file, width=80))
    console.start(LINES, round=10)
    console(finished(11))
    assert "round 11/12" in file.getvalue()


def test_ascii_terminals() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    console = Console(rounds=1, failure_name=None, out=RichConsole(file=file, width=80))
    console.start(LINES)
    console(finished(1))
    file.flush()
    assert b"return 4.00 +- 2.24" in raw.getvalue()
