"""How far a stream of an API was read, and which records around that moment are known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from connectors.exact_json import refused
from connectors.mapping.rest_reads import RestRead
from connectors.rest.moments import Moment, as_state, before, moment_of
from connectors.rest.spans import Row, Span

#: More would make a cursor large; what is not remembered is read again, and is then a repeat.
_MOST_KNOWN = 5_000


@dataclass(slots=True)
class Reached:
    """A cursor while it moves.

    ``changed`` is the change time up to which everything was handed in. ``known`` has by key the
    change time and a digest of each record that the next pass will see again, ``link`` where a
    server that tracks changes goes on.
    """

    read: RestRead
    changed: Moment | None = None
    known: dict[str, tuple[Any, str]] = field(default_factory=dict)
    link: str | None = None
    _newest: Moment | None = None

    @classmethod
    def of(cls, read: RestRead, state: Mapping[str, Any] | None) -> Reached:
        """What a cursor of the database holds."""
        state = state or {}
        return cls(
            read,
            moment_of(state.get("changed")),
            {key: (at, digest) for key, at, digest in state.get("known", ())},
            state.get("link"),
        )

    def span(self) -> Span:
        """What the next pass is to read."""
        if self.changed is None:
            return Span()
        return Span(begin=before(self.changed, self.read.overlap))

    def fresh(self, rows: Sequence[Row]) -> list[Row]:
        """Those of ``rows`` that are not known as they are; they are known from now on."""
        found = []
        for row in rows:
            digest = _digest(row)
            # The key of what is no record may be what the database cannot hold.
            key = digest if refused(row, "it") else str(row.get(self.read.key))
            at = moment_of(row.get(self.read.changed)) if self.read.changed else None
            if self.known.get(key, ("", ""))[1] != digest:
                found.append(row)
            self.known[key] = (None if at is None else as_state(at), digest)
            if at is not None:
                self._newest = at if self._newest is None else _later(self._newest, at)
        return found

    def settle(self) -> None:
        """Everything up to the newest change that was seen has been handed in."""
        if self._newest is not None:
            newest = self._newest
            self.changed = newest if self.changed is None else _later(self.changed, newest)

    def as_state(self) -> dict[str, Any]:
        """For the cursor in the database."""
        known = [(key, at, digest) for key, (at, digest) in self.known.items()]
        if self.changed is not None:
            oldest = as_state(before(self.changed, self.read.overlap))
            known = [one for one in known if one[1] is not None and not _is_older(one[1], oldest)]
        return {
            "changed": None if self.changed is None else as_state(self.changed),
            "known": known[-_MOST_KNOWN:],
            "link": self.link,
        }


def _later(one: Moment, other: Moment) -> Moment:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return max(one, other)
    if isinstance(one, int) and isinstance(other, int):
        return max(one, other)
    return other


def _is_older(at: Any, than: Any) -> bool:
    one, other = moment_of(at), moment_of(than)
    if one is None or other is None or one.__class__ is not other.__class__:
        return False
    return _later(one, other) == other and one != other


def _digest(row: Mapping[str, Any]) -> str:
    try:
        text = orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str)
    except TypeError:
        # Half a sign, or nested too deeply: no record, but it is known again all the same.
        text = json.dumps(row, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:16]
