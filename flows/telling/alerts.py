"""Tell somebody of trouble, once, and once more when it is over: a command, a web address, or chat
services.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from flows.processes import supervised
from flows.telling.lines import Say
from warehouse.settings.config import Config, with_secrets
from warehouse.settings.controls import Alerts

SECONDS = 30  # for everything that one address takes, its name's look-up and a slow answer included
TOLD = "alerts.json"
ROOM = 4096  # characters that its file takes from the first: what a full disk still lets be written
PROGRESS = re.compile(r"\b\d+ of \d+\b|\bin \d+\.\d+ ?s\b")
SENDER = "flows.telling.sending:main"


def resolved(config: Config) -> Alerts:
    """The addresses with their secrets filled in from the environment; only what sends alerts needs
    them.

    Raises
    ------
    ConfigError : a variable that is not set, or an address that is none.
    """
    return with_secrets(config)


def tell_trouble(
    config: Config, about: str, subject: str, troubles: Sequence[str], say: Say
) -> None:
    """Alert of troubles that nobody was told of yet, and of their end; `about` tells kinds of
    trouble apart.

    What was told stands in the home, so that a schedule does not tell it again every day.
    """
    if not (config.alerts.command or config.alerts.webhook or config.alerts.services):
        return
    with suppress(OSError):  # if there is something to tell, what is written next says so
        if not (config.home / TOLD).exists():
            _write_told(config, {})
    told = _read_told(config)
    now = [hashlib.sha256(_kind(trouble).encode()).hexdigest()[:16] for trouble in troubles]
    if set(now) <= set(told.get(about, [])) and (troubles or not told.get(about)):
        if troubles:
            say("Somebody was alerted of this before; nobody is alerted again.")
    elif troubles:
        if not alert(config, subject, troubles, say):
            return  # nobody was reached: the next time is another try
    elif not alert(config, "The trouble is over.", [], say):
        return
    try:
        _write_told(config, {**told, about: now})
    except OSError as error:  # the disk may be the very trouble that is told
        say(
            f"warning: {config.home / TOLD} cannot be written ({error.strerror}), so what was told"
            " may be told again."
        )


def _kind(trouble: str) -> str:
    """What makes a trouble the one that was told before: neither how far dbt had come nor how long
    it took; and a full disk is one, whoever meets it first.
    """
    full = os.strerror(errno.ENOSPC)
    return full if full in trouble else PROGRESS.sub("", trouble)


def alert(config: Config, subject: str, troubles: Sequence[str], say: Say) -> bool:
    """Send one alert to each address that the configuration names, and say which was reached;
    whether any was.

    The message is JSON: project, config, subject, troubles, and text, which joins the last two for
    chat services. A web address may hold a secret, so it is never printed.
    """
    body = {
        "project": "citytrade",
        "config": config.path.name,
        "subject": subject,
        "troubles": list(troubles),
        "text": "\n".join([subject, *troubles]),
    }
    message = json.dumps(body, ensure_ascii=False)
    alerts = resolved(config)
    problems: dict[str, str] = {}
    if alerts.command:
        problems["command"] = (
            _run(alerts.command, message)
            if config.is_named
            else f"{config.path} was found, not named: name it with --config"
        )
    if alerts.webhook:
        problems["webhook"] = _send("webhook", alerts.webhook, message)
    for address in alerts.services:
        scheme = address.split(":")[0]
        problems[f"service {scheme}"] = _send("service", address, message)
    for kind, problem in problems.items():
        say(
            f"Alert sent by {kind}."
            if not problem
            else (
                f"warning: the alert's {kind} failed ({problem}). Check [alerts] in the"
                " configuration."
            )
        )
    return not all(problems.values())


def _run(command: Sequence[str], message: str) -> str:
    """Why a command did not take the message; empty if it did."""
    try:
        done = subprocess.run(command, input=message.encode(), capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {SECONDS} s"
    except (OSError, ValueError) as error:
        return f"{command[0]}: {getattr(error, 'strerror', None) or error}"
    return "" if done.returncode == 0 else f"{command[0]} ended with exit code {done.returncode}"


def _send(kind: str, address: str, message: str) -> str:
    """Send in a process of its own: a server that answers a byte a second holds that, and not the
    refresh.
    """
    asked = json.dumps(
        {"kind": kind, "address": address, "message": message, "seconds": SECONDS / 2}
    )
    try:
        done = subprocess.run(
            supervised.command(SENDER),
            input=asked,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SECONDS,
            env=supervised.environment(),
        )
    except subprocess.TimeoutExpired:
        return f"it did not take the message within {SECONDS} s"
    lines = done.stdout.splitlines()
    return lines[-1].strip() if lines else "it could not be sent"


def _read_told(config: Config) -> dict[str, list[str]]:
    try:
        told = json.loads((config.home / TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # nobody was told anything yet
    return (
        {str(about): [str(key) for key in keys] for about, keys in told.items()}
        if isinstance(told, dict)
        else {}
    )


def _write_told(config: Config, told: dict[str, list[str]]) -> None:
    """Write a fresh file in the place of the former; on a full disk, over the former's own room.

    Raises
    ------
    OSError : neither can be written.
    """
    text = json.dumps(told).ljust(ROOM)
    fresh = config.home / f".{TOLD}.{os.getpid()}"
    try:
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, config.home / TOLD)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not is_full or len(text) > ROOM or not (config.home / TOLD).is_file():
            raise
        with (config.home / TOLD).open("r+", encoding="utf-8") as former:
            former.write(text)
