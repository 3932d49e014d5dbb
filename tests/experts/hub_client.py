"""Points huggingface_hub, which reads its environment variables once, to another server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest


class Client:
    """A cache of its own, and waits that are over at once."""

    def __init__(self, patch: pytest.MonkeyPatch, home: Path, url: str) -> None:
        from huggingface_hub import constants

        self.patch, self.constants = patch, constants
        real_sleep = time.sleep
        patch.setattr(time, "sleep", lambda seconds: real_sleep(min(seconds, 0.01)))
        for name in ("HF_HUB_CACHE", "HF_TOKEN_PATH", "AGENT_HARNESSES_PATH"):
            patch.setattr(constants, name, str(home / name), raising=False)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "HF_TOKEN"):
            patch.delenv(name, raising=False)
        self.ask(url)

    def ask(self, url: str, *, offline: bool = False) -> None:
        self.patch.setattr(self.constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        self.patch.setattr(self.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        self.patch.setattr(self.constants, "HF_HUB_OFFLINE", offline)
