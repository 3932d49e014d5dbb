from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a power cut can tell the difference; tests that need a failing fsync bring their own."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
