"""What was found out about one part of a hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a part is: ``unknown`` where it could not be looked at, as it is stopped."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: how it is, what was found, and, unless it is well, what to ``do``."""

    part: str
    state: State
    found: str
    do: str = ""


def ok(part: str, found: str) -> Finding:
    """All is well."""
    return Finding(part, State.OK, found)


def warning(part: str, found: str, do: str) -> Finding:
    """The hub works, and somebody should know."""
    return Finding(part, State.WARNING, found, do)


def failed(part: str, found: str, do: str) -> Finding:
    """The hub does not work with it."""
    return Finding(part, State.FAILED, found, do)


def unknown(part: str, found: str, do: str) -> Finding:
    """It could not be looked at."""
    return Finding(part, State.UNKNOWN, found, do)


def as_answer(findings: Iterable[Finding]) -> dict[str, Any]:
    """``doctor --json``."""
    rows = [asdict(one) for one in findings]
    return {"healthy": all(row["state"] != State.FAILED for row in rows), "findings": rows}
