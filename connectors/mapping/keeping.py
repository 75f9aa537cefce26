"""Decides what a record of a joined stream does to the one that is kept under its key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from connectors.mapping.joins import KeptRow


class Outcome(StrEnum):
    """What an arriving record is to the kept one."""

    CHANGED = "changed"
    CONFIRMED = "confirmed"
    REPEAT = "repeat"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept row, and the digests of the contents seen for its change date, current last."""

    row: KeptRow
    digests: tuple[str, ...]


def row_digest(row: Mapping[str, Any]) -> str:
    """A digest of a record's content, whatever the order of its fields."""
    text = orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(text).hexdigest()[:32]


def keep_as_it_stands(current: Kept | None, arriving: KeptRow) -> tuple[Outcome, Kept]:
    """What stands after ``arriving`` was read as a part of its whole table: what it says."""
    digest = row_digest(arriving.row)
    if current is not None and current.digests[-1] == digest:
        return Outcome.REPEAT, current
    return Outcome.CHANGED, Kept(arriving, (digest,))


def keep(current: Kept | None, arriving: KeptRow, precise: bool) -> tuple[Outcome, Kept]:
    """What stands after ``arriving`` came (DOMAIN.md §2, Versions).

    An older change date is stale. Under the same date a content that is known is a repeat, and
    a new one follows the one before; where the date is ``precise`` the larger digest stays, so
    that the order of arrival does not matter. A newer date with the content that already stands
    confirms it: the date moves on, and no document changes.
    """
    if arriving.partial:
        return _merged(current, arriving)
    digest = row_digest(arriving.row)
    if current is None:
        return Outcome.CHANGED, Kept(arriving, (digest,))
    if arriving.changed < current.row.changed:
        return Outcome.STALE, current
    if arriving.changed > current.row.changed:
        same = digest == current.digests[-1]
        return Outcome.CONFIRMED if same else Outcome.CHANGED, Kept(arriving, (digest,))
    if digest in current.digests:
        return Outcome.REPEAT, current
    if precise and digest < current.digests[-1]:
        known = (*current.digests[:-1], digest, current.digests[-1])
        return Outcome.STALE, Kept(current.row, known)
    return Outcome.CHANGED, Kept(arriving, (*current.digests, digest))


#: The field of a merged row that holds the change time of each of its fields.
_TIMES = "$changed"


def _merged(current: Kept | None, arriving: KeptRow) -> tuple[Outcome, Kept]:
    """The fields of a partial record laid over those that stand, each by its own change time.

    So records of one key may come in any order, and twice. Of two contents of one field under the
    same time the larger stays.
    """
    row: dict[str, Any] = {} if current is None else dict(current.row.row)
    before: dict[str, int] = row.pop(_TIMES, {})
    times = dict(before)
    after = dict(row)
    for name, value in arriving.row.items():
        at = times.get(name)
        if at is None or (arriving.changed, _text(value)) > (at, _text(after.get(name))):
            after[name], times[name] = value, arriving.changed
    newest = current is None or arriving.changed > current.row.changed
    if current is not None and not newest and (after, times) == (row, before):
        return Outcome.REPEAT, current
    changed = arriving.changed if current is None or newest else current.row.changed
    whole = {**after, _TIMES: times}
    same = current is not None and after == row
    kept = KeptRow(arriving.key, whole, arriving.place, changed)
    return Outcome.CONFIRMED if same else Outcome.CHANGED, Kept(kept, (row_digest(after),))


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)
