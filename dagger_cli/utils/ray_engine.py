"""The connection to Ray, which is an extra: pip install 'dagger-cli[ray]'."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from dagger_cli.core.errors import ConfigError

# Without these, Ray starts a thread that reports usage statistics, and warns of a future change.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
REACHED_IN = 10.0  # seconds
OWN = "local"  # Ray's word for a cluster of this process alone


def connected(address: str | None, num_cpus: int | None = None) -> Any:
    """Returns the module `ray`, connected to a cluster; a process connects once.

    `address` is `auto` (the cluster on this machine, or RAY_ADDRESS), a host:port, ray://host:port,
    or None: RAY_ADDRESS where it is set, as in jobs of a cluster, else a cluster of this process on
    this machine, with `num_cpus` (None: its cores), which ends with the process. Raises ConfigError
    where Ray is not installed or no cluster answers.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    with _kept_signals():
        try:
            import ray
        except ImportError as err:
            raise ConfigError(f"Ray is needed ({err}): pip install 'dagger-cli[ray]'") from err
        if not ray.is_initialized():
            _connect(ray, address or os.environ.get("RAY_ADDRESS") or OWN, num_cpus)
    return ray


def _connect(ray: Any, address: str, num_cpus: int | None) -> None:
    # The number of cores of a cluster that runs already cannot be set.
    own = {"num_cpus": num_cpus, "include_dashboard": False} if address == OWN else {}
    try:
        _check_reachable(address)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the error says it, too
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except Exception as err:  # of many classes: ConnectionError, RuntimeError, ValueError, gRPC's
        reason = str(err).strip().partition("\n")[0] or type(err).__name__
        raise ConfigError(
            f"cannot connect to Ray at address '{address}' ({reason}): start a cluster with "
            "`ray start --head`, or use address=null for one on this machine"
        ) from err


def _check_reachable(address: str) -> None:
    """Raises OSError where nothing listens at host:port, for which Ray would wait for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), REACHED_IN).close()


@contextlib.contextmanager
def _kept_signals() -> Iterator[None]:
    """Restores the SIGTERM handler, which `ray.init` replaces: a run stopped by it says so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
