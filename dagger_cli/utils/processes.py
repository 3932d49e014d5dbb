"""The start of worker processes, of environments and of labellers."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from multiprocessing.context import BaseContext

from dagger_cli.core.errors import EnvError

LONGEST_FOLDER = 60  # bytes; a socket's path has at most 104, of which 33 are its name's
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


def context() -> BaseContext:
    """Returns the start method of workers: not fork, as this process may hold threads and a GPU."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(["dagger_cli.envs.forkserver_preload"])
    _start_server()
    return forkserver


def _start_server() -> None:
    """Starts the fork server, without the current folder on its path.

    Its `python -c` would otherwise import modules of the current folder, which may be untrusted.
    Python 3.10 ignores the variable. Imports of the user's environments still work: a worker gets
    this process's `sys.path`.
    """
    from multiprocessing import forkserver

    _use_short_folder()
    kept = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONSAFEPATH"]
        if kept is not None:
            os.environ["PYTHONSAFEPATH"] = kept


def _use_short_folder() -> None:
    """Gives multiprocessing's sockets a folder whose path fits: a long TMPDIR does not."""
    from multiprocessing import util

    if len(os.fsencode(tempfile.gettempdir())) <= LONGEST_FOLDER:
        return
    short = next((folder for folder in SHORT_FOLDERS if os.access(folder, os.W_OK)), None)
    if short is None:
        raise EnvError(
            f"TMPDIR={tempfile.gettempdir()} is too long for the sockets of worker processes: "
            "set a shorter one, or env.workers=0"
        )
    before = tempfile.tempdir
    tempfile.tempdir = short
    try:
        util.get_temp_dir()  # creates it, once in a process
    finally:
        tempfile.tempdir = before
