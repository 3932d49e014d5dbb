"""The page's server: pictures out, keys in, for one token, this machine and no other origin."""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
import struct
import threading
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.human import browser
from dagger_cli.experts.human.browser import BrowserScreen
from dagger_cli.experts.human.given import Picture

FRAME = np.full((40, 60, 3), (250, 10, 10), np.uint8)


@pytest.fixture
def screen(capsys, monkeypatch):
    monkeypatch.setattr(browser, "GOODBYE", 0.0)
    opened = BrowserScreen("test", 0)
    assert opened.address in capsys.readouterr().err
    yield opened
    opened.close()


def ask(screen, method, path, body=None, token=None, **headers):
    """Returns status, headers and body of a request as a page sends it."""
    url = urlsplit(screen.address)
    token = parse_qs(url.query)["token"][0] if token is None else token
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    mark = "&" if "?" in path else "?"
    connection.request(method, f"{path}{mark}token={token}", body, headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def given(**values):
    return json.dumps({"held": [], "pressed": [], "sticks": {}, "closed": False, **values})


def test_the_page_gets_the_newest_picture(screen):
    screen.show(Picture(FRAME, ("old",)))
    screen.show(Picture(FRAME, ("new", "<b>")))
    status, _, body = ask(screen, "GET", "/next?after=0")
    news = json.loads(body)
    assert (status, news["number"], news["lines"]) == (200, 2, ["new", "<b>"])
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(news["image"]))))
    assert image.shape == (200, 300, 3)  # enlarged by a whole number
    assert abs(image.astype(int) - FRAME[0, 0]).max() < 8


def test_a_page_waits_for_the_next_picture(screen):
    threading.Timer(0.1, lambda: screen.show(Picture(FRAME, ("late",)))).start()
    assert json.loads(ask(screen, "GET", "/next?after=0")[2])["lines"] == ["late"]


def test_keys_arrive_once_and_held_ones_stay(screen):
    assert ask(screen, "POST", "/input", given(held=["left"], pressed=["left", "p"]))[0] == 204
    ask(screen, "POST", "/input", given(held=["left"], pressed=["n"], sticks={"up": 0.4}))
    first, second = screen.look(), screen.look()
    assert (first.pressed, first.held, first.sticks) == (("left", "p", "n"), ("left",), {"up": 0.4})
    assert (second.pressed, second.held) == ((), ("left",))
    ask(screen, "POST", "/input", given(closed=True))
    assert screen.look().closed


def test_without_a_page_keys_are_released_and_the_run_pauses(screen, monkeypatch):
    assert screen.look().away
    ask(screen, "POST", "/input", given(held=["left"]))
    assert not screen.look().away
    monkeypatch.setattr(browser, "SILENT", 0.0)
    assert screen.look().away and not screen.look().held


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "guess"},
        {"token": ""},
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ],
)
def test_other_tokens_hosts_and_origins_are_refused(screen, method, wrong):
    body = given(pressed=["left"]) if method == "POST" else None
    path = "/input" if method == "POST" else "/next?after=-5"
    assert ask(screen, method, path, body, **wrong)[0] == 403
    assert screen.look().pressed == ()


def test_a_tunnel_with_another_port_is_allowed(screen):
    through = {"Host": "localhost:9000", "Origin": "http://localhost:9000"}
    assert ask(screen, "POST", "/input", given(pressed=["n"]), **through)[0] == 204
    assert screen.look().pressed == ("n",)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"held": 3}', given(sticks={"up": "x"})])
def test_what_is_no_input_is_refused(screen, body):
    assert ask(screen, "POST", "/input", body)[0] == 400
    assert ask(screen, "POST", "/input", "x" * 5000)[0] == 413
    assert ask(screen, "GET", "/etc/passwd")[0] == 404


def test_the_page_may_load_nothing_from_elsewhere(screen):
    status, headers, body = ask(screen, "GET", "/")
    policy = headers["Content-Security-Policy"]
    assert status == 200 and policy.startswith("default-src 'none'; script-src 'nonce-")
    assert headers["X-Frame-Options"] == "DENY" and headers["Referrer-Policy"] == "no-referrer"
    assert b"http" not in body and b"NONCE" not in body


def test_a_page_that_is_closed_in_an_answer_prints_nothing(screen, capsys):
    url = urlsplit(screen.address)
    with socket.create_connection((url.hostname, url.port)) as page:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        page.sendall(
            f"GET /next?after=0&{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode()
        )
    for number in range(3):
        screen.show(Picture(FRAME, (str(number),)))
        ask(screen, "GET", f"/next?after={number}")
    assert capsys.readouterr().err == ""


def test_it_listens_on_this_machine_only(screen):
    assert screen._server.server_address[0] == "127.0.0.1"


def test_a_port_in_use_is_one_sentence(screen):
    with pytest.raises(ExpertError, match=r"cannot be opened .* use expert.port=0"):
        BrowserScreen("second", screen._server.server_port)
