"""Closed streams, pipes that end, signals, odd locales and folders that are gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from .running import TINY, dagger

SHORT = ("train", *TINY, "rounds=2", "hydra.run.dir=run")
COMMAND = [sys.executable, "-m", "dagger_cli"]


def shell(line: str, cwd, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of bash in which `dagger` is the command and `short` a short run."""
    defined = f'dagger() {{ {sys.executable} -m dagger_cli "$@"; }}\n'
    defined += f'short() {{ dagger {" ".join(SHORT)} "$@"; }}\n'
    given = {**os.environ, **environ}
    return subprocess.run(
        ["bash", "-c", defined + line],
        cwd=cwd, env=given, capture_output=True, text=True, timeout=120, errors="replace",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("short >&- 2>&- <&-", 0),
        pytest.param("short >&-", 0, marks=pytest.mark.slow),
        pytest.param("short 2>/dev/full", 0, marks=pytest.mark.slow),
        ("dagger eval checkpoint=nowhere 2>/dev/full", 2),
        ("dagger eval checkpoint=nowhere 2>&-", 2),
        ("dagger --help >&-", 0),
        ("short rounds=40 | head -1; exit ${PIPESTATUS[0]}", 141),
        ("mkdir gone && cd gone && rmdir ../gone && dagger eval checkpoint=x", 2),
        ("dagger eval checkpoint=ünï", 2),
    ],
)
def test_streams_may_be_closed_and_folders_gone(tmp_path, line, code):
    done = shell(line, tmp_path)
    assert done.returncode == code and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_a_name_the_locale_cannot_write_gets_a_sentence(tmp_path):
    words = ("eval", "checkpoint=ünï")
    given = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([*COMMAND, *words], cwd=tmp_path, env=given, capture_output=True)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow)],
)
def test_a_signal_ends_a_run_as_ctrl_c_does(tmp_path, number, code):
    command = [*COMMAND, *SHORT, "rounds=2000"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    last, deadline = tmp_path / "run" / "checkpoints" / "last", time.monotonic() + 60
    while not last.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code and err.strip() == "terminated"
    words = re.search(r"^resume +dagger (train resume=run)$", out, re.M)[1].split()
    done = dagger(*words, "rounds=2000", "--cfg", "job", cwd=tmp_path)
    assert done.code == 2  # a resumed run has its own config
    assert dagger("eval", "checkpoint=run", "episodes=1", cwd=tmp_path).code == 0
