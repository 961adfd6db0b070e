"""Prefect's server behind a door: it answers requests to its own host, from its own pages or from
programs.

A web page of somebody else's can make a browser on this machine send requests here, under this
origin's name by DNS (rebinding) or under its own; both are refused before Prefect sees them. What
passes must still know the secret.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PORT_VARIABLE = "CITYTRADE_SERVER_PORT"
REFUSAL = b"This server answers its own address only."


def create_app() -> App:
    """Prefect's own application, guarded; uvicorn calls this."""
    from prefect.server.api.server import create_app as prefects

    return Guard(prefects(), int(os.environ[PORT_VARIABLE]))


class Guard:
    """Refuses with 403 what is sent to another host name, or by a page of another origin."""

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._is_ours(scope["headers"]):
            await _refuse(scope["type"], send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, headers: list[tuple[bytes, bytes]]) -> bool:
        hosts = [value for name, value in headers if name.lower() == b"host"]
        origins = [value for name, value in headers if name.lower() == b"origin"]
        return (
            len(hosts) == 1
            and hosts[0] in self._hosts
            and all(origin in self._origins for origin in origins)
        )


async def _refuse(kind: str, send: Send) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send(
        {
            "type": "http.response.start",
            "status": 403,
            "headers": [(b"content-type", b"text/plain")],
        }
    )
    await send({"type": "http.response.body", "body": REFUSAL})
