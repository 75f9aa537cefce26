"""Change times of an API's records: how they compare, and how long a unit of them lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.errors import SourceError
from connectors.mapping.rest_reads import Api, Written
from connectors.mapping.values import shown

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_DATE_LENGTH = 10

#: An instant, or a number that grows with each change. What names no zone counts as UTC.
Moment = datetime | int


class NoMoment(SourceError):
    """A value that is no change time."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The records that changed from ``begin`` on and before ``end``: those of one second.

    An API may compare with more digits than it shows, so records of one second have no order that
    could be relied on.
    """

    begin: Moment
    end: Moment


def moment_of(found: Any) -> Moment | None:
    """The change time that a record states; None where it states none.

    Raises:
        NoMoment: it is no change time.
    """
    if found is None or found is False or found == "":
        return None
    if isinstance(found, int):
        return found
    try:
        at = datetime.fromisoformat(str(found))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except ValueError as error:
        message = f"{shown(found)} is no change time: name another field as 'changed' of 'read'"
        raise NoMoment(message) from error
    except OverflowError as error:
        raise NoMoment(f"{shown(found)} lies beyond the calendar in UTC") from error


def readable_moment(found: Any) -> Moment | None:
    """The change time that a record states; None where it states none, or none that is one."""
    try:
        return moment_of(found)
    except NoMoment:
        return None


def unit_of(found: Any) -> Unit | None:
    """The unit in which a record changed; None where it states no change time."""
    at = readable_moment(found)
    if at is None:
        return None
    if isinstance(at, int):
        return Unit(at, at + 1)
    begin = at.replace(microsecond=0)
    return Unit(begin, begin + (_DAY if len(str(found)) == _DATE_LENGTH else _SECOND))


def before(at: Moment, overlap: timedelta) -> Moment:
    """Where a pass begins again whose newest change was ``at``; numbers have no overlap."""
    return at if isinstance(at, int) else at - overlap


def as_state(at: Moment) -> str | int:
    """A moment as a cursor keeps it."""
    return at if isinstance(at, int) else at.isoformat()


def written(at: Moment, api: Api, how: Written = Written.ISO) -> str | int:
    """A moment as an API takes it in a filter."""
    if isinstance(at, int):
        return at
    if api == Api.FRAPPE:
        return f"{at:%Y-%m-%d %H:%M:%S.%f}"
    if api == Api.ODOO:
        return f"{at:%Y-%m-%d %H:%M:%S}"
    if how == Written.DATE:
        return f"{at:%Y-%m-%d}"
    if how in (Written.EPOCH, Written.EPOCH_MS):
        seconds = int(at.timestamp())
        return seconds * 1000 if how == Written.EPOCH_MS else seconds
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
