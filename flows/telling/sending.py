"""The process that sends one alert and ends; its last line says why it could not, or is empty."""

from __future__ import annotations

import http.client
import json
import sys
import urllib.error
import urllib.request
from typing import Any


def main() -> None:
    asked = json.load(sys.stdin)
    send = {"webhook": _post, "service": _notify}[asked["kind"]]
    print(send(asked["address"], asked["message"], asked["seconds"]))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would be sent on as a GET without the message, and pass for an alert."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(address: str, message: str, seconds: float) -> str:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        request = urllib.request.Request(
            address, data=message.encode(), headers=headers, method="POST"
        )
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds):
            return ""
    except urllib.error.HTTPError as error:
        return f"it answered {error.code}"
    except (
        OSError,
        ValueError,
        http.client.HTTPException,
    ) as error:  # the texts of some of these repeat the address
        reason = getattr(error, "reason", error)
        return (
            f"it could not be reached: {getattr(reason, 'strerror', None) or type(reason).__name__}"
        )


def _notify(address: str, message: str, seconds: float) -> str:
    """By apprise, which knows the chat services."""
    import apprise

    body = json.loads(message)
    sender = apprise.Apprise()
    if not sender.add(address):
        return "apprise knows no service of that address"
    text = "\n".join(body["troubles"]) or body["subject"]
    return (
        ""
        if sender.notify(title=f"citytrade: {body['subject']}", body=text)
        else "it did not take the message"
    )
