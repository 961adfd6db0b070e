"""What a configuration says of a source beside its files: control totals, when to hold a delivery,
how far its publisher is; and whom to alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from warehouse.errors import ConfigError
from warehouse.settings import keys

WITH_VALUES = {"customs"}  # whose records have values


@dataclass(frozen=True)
class ControlTotal:
    """What the publisher says a year holds: rows, and for customs records their value in USD."""

    year: int
    rows: int | None = None
    value_usd: float | None = None


@dataclass(frozen=True)
class Controls:
    """
    totals : control totals by year
    hold_change_share : a year whose rows shrink or grow by more than this share is held until
        confirmed; None never holds
    published_through : the last year that the publisher has released
    warn_left_share : a reason that takes more than this share of the records' value out of the
        panels is warned of
    """

    totals: tuple[ControlTotal, ...] = ()
    hold_change_share: float | None = None
    published_through: int | None = None
    warn_left_share: float = 0.1


@dataclass(frozen=True)
class Alerts:
    """Whom to tell of trouble.

    command : a program and its arguments; it gets the trouble as JSON on its input
    webhook : a web address that the same JSON is posted to
    services : addresses as apprise writes them, such as dingtalk://…, wecombot://…, feishu://…,
        mailtos://…

    A `${NAME}` in an address is filled in from the environment when an alert is sent.
    """

    command: tuple[str, ...] = ()
    webhook: str = ""
    services: tuple[str, ...] = ()


def parse_controls(where: str, source: str, given: dict[str, Any]) -> Controls:
    """The controls among a source's settings.

    Raises
    ------
    ConfigError : a value of another kind; `where` says in which file and table.
    """
    share, left = (
        given.get("hold_change_share"),
        given.get("warn_left_share", Controls.warn_left_share),
    )
    if share is not None and not (_is_number(share) and 0 < share <= 1):
        raise ConfigError(
            f"{where}: hold_change_share = {share!r} is no share between 0 and 1. Give e.g. 0.2: a"
            " year whose rows change by more than 20 % is held."
        )
    if not (_is_number(left) and 0 <= left <= 1):
        raise ConfigError(
            f"{where}: warn_left_share = {left!r} is no share between 0 and 1. Give e.g. 0.1: what"
            " takes more than 10 % of the value is warned of."
        )
    through = given.get("published_through")
    if through is not None and not _is_year(through):
        raise ConfigError(
            f"{where}: published_through = {through!r} is no year. Give the last year that the"
            " publisher has released, e.g. 2023."
        )
    totals = given.get("totals", [])
    if not isinstance(totals, list) or not all(isinstance(total, dict) for total in totals):
        raise ConfigError(
            f"{where}: totals are tables. Write [[sources.{source}.totals]] on a line of its own,"
            " and year = 2007 and rows = 1000 below."
        )
    return Controls(
        tuple(_total(where, source, total) for total in totals), share, through, float(left)
    )


def parse_alerts(where: str, given: dict[str, Any]) -> Alerts:
    """The table [alerts], with the variables in its addresses not filled in.

    Raises
    ------
    ConfigError : a command or services that are no list of words, or an address that is none.
    """
    command, services, webhook = (
        given.get("command", []),
        given.get("services", []),
        given.get("webhook", ""),
    )
    if not isinstance(command, list) or not all(
        isinstance(word, str) and word and "\0" not in word for word in command
    ):
        raise ConfigError(
            f'{where}: command must be a list of words, such as command = ["/usr/local/bin/notify",'
            ' "citytrade"].'
        )
    if not isinstance(services, list) or not all(
        isinstance(address, str) and address for address in services
    ):
        raise ConfigError(
            f"{where}: services must be a list of addresses, such as services ="
            ' ["dingtalk://${DINGTALK_TOKEN}"].'
        )
    if not isinstance(webhook, str):
        raise ConfigError(
            f"{where}: webhook = {webhook!r} is not an address. Write it in quotes, such as webhook"
            ' = "${CITYTRADE_WEBHOOK}".'
        )
    refuse_addresses(where, *(("", []) if "${" in webhook else (webhook, [])))
    refuse_addresses(where, "", [address for address in services if not address.startswith("${")])
    return Alerts(tuple(command), webhook, tuple(services))


def refuse_addresses(where: str, webhook: str, services: Sequence[str]) -> None:
    """
    Raises
    ------
    ConfigError : a web address that is not http, or a service's address without its kind; neither
        is repeated, as it may be a secret.
    """
    if webhook and not webhook.startswith(("https://", "http://")):
        raise ConfigError(
            f"{where}: webhook must begin with https:// or http://. A secret in it is best kept in"
            ' a variable: webhook = "${CITYTRADE_WEBHOOK}".'
        )
    for at, address in enumerate(services, 1):
        if "://" not in address:
            raise ConfigError(
                f"{where}: address {at} of services names no service. Write it as apprise does,"
                " such as wecombot://${WECOM_KEY}."
            )


def _total(where: str, source: str, given: dict[str, Any]) -> ControlTotal:
    unknown = sorted(set(given) - set(keys.TOTAL))
    if unknown:
        raise ConfigError(
            f"{where}: totals have no key {unknown[0]!r}. Known: {', '.join(sorted(keys.TOTAL))}."
        )
    year, rows, value = given.get("year"), given.get("rows"), given.get("value_usd")
    if year is None or not _is_year(year):
        raise ConfigError(f"{where}: totals: year = {year!r} is no year. Give e.g. year = 2007.")
    if rows is None and value is None:
        raise ConfigError(
            f"{where}: the total of {year} says neither rows nor value_usd. Give one of them."
        )
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 0):
        raise ConfigError(f"{where}: the total of {year}: rows = {rows!r} is no count.")
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0
    ):
        raise ConfigError(
            f"{where}: the total of {year}: value_usd = {value!r} is no value in USD."
        )
    if value is not None and source not in WITH_VALUES:
        raise ConfigError(
            f"{where}: the total of {year} gives value_usd, and {source} has no values in USD. Give"
            " rows."
        )
    return ControlTotal(int(year), rows, None if value is None else float(value))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_year(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1949 <= value <= 2100
