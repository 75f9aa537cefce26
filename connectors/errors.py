"""What is wrong with a source itself, and not with a record of it."""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be read; the message says what to do."""


class ReplayError(Exception):
    """The dead letter cannot be replayed; the message says why."""
