"""Errors that a user can act on: each says what happened, where, and what to do."""

from __future__ import annotations


class CitytradeError(Exception):
    """Base of every error that citytrade raises on purpose; its text is meant for a person."""


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
