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


def keep(current: Kept | None, arriving: KeptRow, precise: bool) -> tuple[Outcome, Kept]:
    """What stands after ``arriving`` came (DOMAIN.md §2, Versions).

    An older change date is stale. Under the same date a content that is known is a repeat, and
    a new one follows the one before; where the date is ``precise`` the larger digest stays, so
    that the order of arrival does not matter. A newer date with the content that already stands
    confirms it: the date moves on, and no document changes.
    """
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
