"""How far a stream of an API was read, and which records around that moment are known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from connectors.exact_json import refused
from connectors.mapping.rest_reads import RestRead
from connectors.rest.moments import Moment, as_state, before, moment_of, readable_moment
from connectors.rest.spans import Row, Span

#: More would make a cursor large; what is not remembered is read again, and is then a repeat.
_MOST_KNOWN = 5_000


@dataclass(slots=True)
class Reached:
    """A cursor while it moves.

    ``changed`` is the change time up to which everything was handed in. ``known`` has by key the
    change time and a digest of each record that the next pass will see again, the one seen last at
    its end, and for a while some that it will not; ``link`` is where a server that tracks changes
    goes on.
    """

    read: RestRead
    changed: Moment | None = None
    known: dict[str, tuple[Any, str]] = field(default_factory=dict)
    link: str | None = None
    _newest: Moment | None = None
    #: ``known`` is gone through only when it has more, so that all passes through it cost no more
    #: than reading.
    _most: int = _MOST_KNOWN

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
        oldest = self._oldest()
        for row in rows:
            digest = _digest(row)
            # The key of what is no record may be what the database cannot hold.
            key = digest if refused(row, "it") else str(row.get(self.read.key))
            at = readable_moment(row.get(self.read.changed)) if self.read.changed else None
            if self.known.pop(key, ("", ""))[1] != digest:
                found.append(row)
            state = None if at is None else as_state(at)
            if _is_seen_again(state, oldest):
                self.known[key] = (state, digest)
            if at is not None:
                self._newest = at if self._newest is None else _later(self._newest, at)
        return found

    def settle(self) -> None:
        """Everything up to the newest change that was seen has been handed in."""
        if self._newest is not None:
            newest = self._newest
            self.changed = newest if self.changed is None else _later(self.changed, newest)
        if len(self.known) > self._most:
            oldest = self._oldest()
            self.known = {
                key: one for key, one in self.known.items() if _is_seen_again(one[0], oldest)
            }
            self._most = 2 * len(self.known) + _MOST_KNOWN

    def as_state(self) -> dict[str, Any]:
        """For the cursor in the database."""
        oldest = self._oldest()
        again = (
            (key, at, digest)
            for key, (at, digest) in reversed(self.known.items())
            if _is_seen_again(at, oldest)
        )
        return {
            "changed": None if self.changed is None else as_state(self.changed),
            "known": list(islice(again, _MOST_KNOWN))[::-1],
            "link": self.link,
        }

    def _oldest(self) -> Moment | None:
        """From where the next pass reads; None: from the beginning."""
        return self.span().begin


def _later(one: Moment, other: Moment) -> Moment:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return max(one, other)
    if isinstance(one, int) and isinstance(other, int):
        return max(one, other)
    return other


def _is_seen_again(at: Any, oldest: Moment | None) -> bool:
    """Whether the next pass, which reads from ``oldest`` on, sees a record with this state."""
    one = moment_of(at)
    if one is None or oldest is None:
        return oldest is None
    if one.__class__ is not oldest.__class__:
        return True
    return one == oldest or _later(one, oldest) == one


def _digest(row: Mapping[str, Any]) -> str:
    try:
        text = orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str)
    except TypeError:
        # Half a sign, or nested too deeply: no record, but it is known again all the same.
        text = json.dumps(row, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:16]
