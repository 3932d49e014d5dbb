"""The person's page: a server on 127.0.0.1 that shows pictures and takes keys."""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from typing import Any

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.experts.human.given import Input, Picture
from dagger_cli.experts.human.server import Server

SILENT = 3.0  # seconds without a sign of the page after which it counts as closed
ENDS = 0.05  # seconds between looks of the server at whether it has to end
GOODBYE = 0.2  # seconds in which the pages get the last message, before the process ends
LEAST = 300  # pixels: smaller frames are sent enlarged, as JPEG blurs single pixels
QUALITY = 90


class BrowserScreen:
    """Shows pictures on a page; prints its address, with a token that the page needs."""

    def __init__(self, title: str, port: int) -> None:
        self._changed = threading.Condition()
        self._number, self._message = 0, b""
        self._input, self._heard = Input(), 0.0
        try:
            self._server = Server(port, secrets.token_urlsafe(16), title, self)
        except OSError as err:
            raise ExpertError(
                f"expert.port={port} cannot be opened ({err.strerror}): use expert.port=0 for any "
                "free one"
            ) from err
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(ENDS,), daemon=True).start()
        here = self._server.server_port
        say = f"the person's page is {self._server.address}\n  (from another machine: first ssh -L "
        print(f"{say}{here}:127.0.0.1:{here} this-machine)", file=sys.stderr, flush=True)

    @property
    def address(self) -> str:
        """Address of the page, with its token."""
        return self._server.address

    def show(self, picture: Picture) -> None:
        """Makes a picture the newest one; pages that wait get it."""
        image = b64encode(_jpeg(picture.frame)).decode()
        with self._changed:
            self._number += 1
            message = {"number": self._number, "image": image, "lines": picture.lines}
            self._message = json.dumps(message).encode()
            self._changed.notify_all()

    def look(self) -> Input:
        """Returns what the person did since the last call; away where no page is open."""
        with self._changed:
            given = self._input
            if time.monotonic() - self._heard > SILENT:
                self._input = Input()
                return Input(away=True, closed=given.closed)
            self._input = replace(given, pressed=())
        return given

    def close(self) -> None:
        """Tells the pages that the run has ended, and closes the server; may be called twice."""
        with self._changed:
            self._message = json.dumps({"number": -1}).encode()
            self._number = -1
            self._changed.notify_all()
            open_now = time.monotonic() - self._heard < SILENT
        if open_now:
            time.sleep(GOODBYE)
        self._server.shutdown()
        self._server.server_close()

    def newer(self, than: int, seconds: float) -> bytes:
        """Returns the first message after number `than`, empty where there is none in `seconds`."""
        with self._changed:
            self._heard = time.monotonic()
            self._changed.wait_for(lambda: self._number != than, seconds)
            return self._message if self._number != than else b""

    def give(self, body: bytes) -> None:
        """Takes keys from a page; raises ValueError where they are none."""
        held, pressed, sticks, closed = _parsed(body)
        with self._changed:
            self._heard = time.monotonic()
            before = self._input
            keys = held, before.pressed + pressed, sticks
            self._input = Input(*keys, closed=before.closed or closed)


def _parsed(body: bytes) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, float], bool]:
    value: Any = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    sticks = {str(key): float(strength) for key, strength in dict(value["sticks"]).items()}
    held, pressed = ([str(key) for key in list(value[name])[:50]] for name in ("held", "pressed"))
    return tuple(held), tuple(pressed), sticks, value["closed"] is True


def _jpeg(frame: Array) -> bytes:
    from PIL import Image

    image = Image.fromarray(frame)
    times = max(1, -(-LEAST // max(frame.shape[:2])))
    if times > 1:
        size = image.width * times, image.height * times
        image = image.resize(size, Image.Resampling.NEAREST)
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
