"""Tell somebody when a refresh ran into trouble: a command or a web address from the configuration."""

from __future__ import annotations

import http.client
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from flows.telling.lines import Say
from warehouse.settings.config import Config

SECONDS = 20


def alert(config: Config, subject: str, troubles: Sequence[str], say: Say) -> None:
    """Send one alert to each address that the configuration names; what cannot be sent is said, and stops nothing.

    The message is JSON: project, config, subject, troubles, and text, which joins the last two for chat services.
    A web address may hold a secret, so it is never printed.
    """
    body = {"project": "citytrade", "config": config.path.name, "subject": subject, "troubles": list(troubles), "text": "\n".join([subject, *troubles])}
    message = json.dumps(body, ensure_ascii=False).encode()
    if config.alerts.command:
        _tell("command", lambda: _run(config.alerts.command, message), say)
    if config.alerts.webhook:
        _tell("webhook", lambda: _post(config.alerts.webhook, message), say)


def _tell(kind: str, send: Callable[[], str], say: Say) -> None:
    problem = send()
    say(f"Alert sent by {kind}." if not problem else f"warning: the alert's {kind} failed ({problem}). Check [alerts] in the configuration.")


def _run(command: Sequence[str], message: bytes) -> str:
    try:
        done = subprocess.run(command, input=message, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {SECONDS} s"
    except (OSError, ValueError) as error:
        return f"{command[0]}: {getattr(error, 'strerror', None) or error}"
    return "" if done.returncode == 0 else f"{command[0]} ended with exit code {done.returncode}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would be sent on as a GET without the message, and pass for an alert."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(address: str, message: bytes) -> str:
    try:
        request = urllib.request.Request(address, data=message, headers={"Content-Type": "application/json; charset=utf-8"}, method="POST")
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"it answered {error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:  # the texts of some of these repeat the address
        reason = getattr(error, "reason", error)
        return f"it could not be reached: {getattr(reason, 'strerror', None) or type(reason).__name__}"
