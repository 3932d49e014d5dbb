"""The cache of Numba's machine code."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dagger_cli.envs.mario import warmup as warm
from dagger_cli.envs.mario.simulator.jit import entry_point, machine_code


@pytest.mark.slow  # may compile everything
def test_warm_up_leaves_a_mark_that_these_sources_are_compiled():
    warm.warm_up()
    assert warm.is_compiled()
    assert warm.warm_up() < 1  # nothing is compiled twice in one process


def test_the_folder_is_named_by_the_sources(tmp_path):
    (tmp_path / "one.py").write_text("a = 1")
    before = machine_code.__wrapped__(tmp_path)
    assert machine_code.__wrapped__(tmp_path) == before
    (tmp_path / "another.py").write_text("b = 2")
    assert machine_code.__wrapped__(tmp_path) != before


def test_numba_s_own_folder_is_what_it_was_before():
    import numba

    before = numba.config.CACHE_DIR
    entry_point(warm.warm_up)
    assert before == numba.config.CACHE_DIR


@pytest.mark.slow  # compiles everything anew
@pytest.mark.parametrize(("writable", "wanted"), [(True, "0 True"), (False, "0 False")])
def test_it_works_where_nothing_can_be_written(tmp_path, writable, wanted):
    blocked = tmp_path / "a_file"
    blocked.write_text("")
    folder = tmp_path / "cache" if writable else blocked
    script = (
        "from dagger_cli.envs.mario import replay, warmup as warm\n"
        "rows = replay(0, 1, 0, 320, 60, 2, [0])\n"
        "warm.warm_up()\n"
        "print(rows[0][0], warm.is_compiled())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == wanted
