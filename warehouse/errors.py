"""Errors that a user can act on: each says what happened, where, and what to do."""

from __future__ import annotations


def _fit_to_print(text: str) -> str:
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")


class CitytradeError(Exception):
    """Base of every error that citytrade raises on purpose; its text is meant for a person.

    What no terminal and no file can take of it, such as bytes of a file's name that are no text, is
    escaped.
    """

    def __init__(self, *told: object) -> None:
        super().__init__(*(_fit_to_print(part) if isinstance(part, str) else part for part in told))


class ConfigError(CitytradeError):
    """The configuration file cannot be used as it is."""


class SourceError(CitytradeError):
    """A raw file cannot be read; it stops its own source and no other.

    Parameters
    ----------
    file : the file as the user knows it
    place : line, sheet or column where reading stopped; empty when the whole file is meant
    problem : what is wrong
    remedy : what the user can do about it
    """

    def __init__(self, file: str, place: str, problem: str, remedy: str) -> None:
        self.file, self.place, self.problem, self.remedy = file, place, problem, remedy
        where = f"{file}, {place}" if place else file
        super().__init__(f"{where}: {problem}. {remedy}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return type(self), (self.file, self.place, self.problem, self.remedy)


class ReleaseError(CitytradeError):
    """A release cannot be opened, built or published."""
