"""A run with the page is killed in the middle of its first round: every answer is still there."""

from __future__ import annotations

import http.client
import json
import re
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.human.people import TINY, answers, policies, training

pytestmark = pytest.mark.slow


class Page:
    """What the page does, without a browser: answers each new state once."""

    def __init__(self, address):
        self._url, self._after = urlsplit(address), 0

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self._url.hostname, self._url.port, timeout=30)
        connection.request(method, f"{path}&{self._url.query}", body)
        found = connection.getresponse().read()
        connection.close()
        return found

    def step(self):
        """Answers the state that is shown: left in every third state of the round; its number."""
        while not (text := self.ask("GET", f"/next?after={self._after}")):
            pass
        news = json.loads(text)
        self._after = news["number"]
        if self._after < 0:
            return None
        step = int(re.match(r"step (\d+)", news["lines"][1])[1])
        key = "right" if step % 3 else "left"
        given = {"held": [], "pressed": [key], "sticks": {}, "closed": False}
        self.ask("POST", "/input?", json.dumps(given))
        return step


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it took too long"


WORDS = (*TINY, "rounds=1", "expert.ui=browser")


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    with training(tmp_path, *WORDS) as (process, address):
        page = Page(address)
        until(lambda: page.step() == 25)
        process.kill()
        process.wait()
    given = answers(tmp_path / "run")
    assert 20 <= len(given) <= 30
    with training(tmp_path, "resume=run") as (process, address):
        page = Page(address)
        assert page.step() in (len(given), len(given) + 1)
        while process.poll() is None:
            with suppress(OSError, http.client.HTTPException):  # the server ends with the run
                page.step()
        assert process.wait(60) == 0, process.stderr.read()
    assert answers(tmp_path / "run")[: len(given)] == given
    assert len(answers(tmp_path / "run")) == 40 and policies(tmp_path / "run")
