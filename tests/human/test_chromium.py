"""The page in a real browser: a person holds keys, stops, and comes back to the same state."""

from __future__ import annotations

import shutil
import time

import pytest

from tests.human.people import answers, training

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]
WORDS = (
    "env=kart",
    "expert=human",
    "expert.ui=browser",
    "trainer=sup",
    "rounds=2",
    "steps_per_round=60",
    "policy.gradient_steps=10",
    "policy.sizes=[8]",
    "validation.episodes=0",
    "evaluation.episodes=1",
    "env.max_steps=100",
    "hydra.run.dir=run",
)


@pytest.fixture
def page():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1000, "height": 800})
        browser.close()


def text(page):
    return page.inner_text("#lines")


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def test_a_person_in_a_browser(tmp_path, page):
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else 0)
    with training(tmp_path, *WORDS) as (process, address):
        page.goto(address)
        until(lambda: "PAUSED" in page.inner_text("#lines"))
        assert page.evaluate("document.querySelector('#frame').naturalWidth") >= 300
        page.keyboard.down("ArrowLeft")
        page.keyboard.press("p")
        until(lambda: (tmp_path / "run/human/answers.jsonl").exists())
        until(lambda: len(answers(tmp_path / "run")) > 20)
        page.keyboard.up("ArrowLeft")
        page.screenshot(path=tmp_path / "page.png")
        page.click("#stop")
        assert process.wait(30) == 130
        assert "resume=run" in process.stdout.read()
        until(lambda: "ended" in page.inner_text("#state"))
    before = answers(tmp_path / "run")
    assert before[15]["action"] == [1.0]  # the wheel is turned to the left in a quarter of a second
    with training(tmp_path, "resume=run") as (process, address):
        page.goto(address)
        until(lambda: "PAUSED" in page.inner_text("#lines"))
        assert f"step {len(before)} of this round" in text(page)
        page.evaluate("navigator.getGamepads = () => [{axes: [-0.5, 0], buttons: []}]")
        until(lambda: page.evaluate("sticks.left === 0.5"))
        page.keyboard.press("p")
        until(lambda: "round 2" in page.inner_text("#lines"))
        page.keyboard.press("p")
        assert process.wait(120) == 0, process.stderr.read()
    after = answers(tmp_path / "run")
    assert after[: len(before)] == before and len(after) == 120
    assert after[len(before) + 5]["action"] == [0.5]  # of the stick
    # The server is gone, so the page's last question fails: the only error there may be.
    assert [line for line in wrong if "ERR_" not in line] == []
