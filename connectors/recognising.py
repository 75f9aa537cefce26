"""Passes over records that stand already, and finds those that are gone, before any mapping."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from itertools import compress

from connectors.door import Connection, Door
from connectors.errors import SourceError
from connectors.mapping.keeping import row_digest
from connectors.mapping.records import key_in
from connectors.portions import Numbered, Portion, Whole, Window
from sinks import recent_rows, source_rows

_KEYS = 5_000


class Recogniser:
    """Takes the portions of one pass to those that say something new.

    It complains of comparisons that are not believed; the other portions are good.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._seen: dict[str, array[int]] = {}
        self._complaints: dict[str, str] = {}

    def new_in(self, portions: Iterable[Portion]) -> Iterator[Portion]:
        """The portions with their new records; those that say nothing at all are left out."""
        for portion in portions:
            if portion.window is not None:
                yield from self._in_window(portion, portion.window)
            elif portion.whole is not None:
                yield from self._in_whole(portion, portion.whole)
            else:
                yield portion

    def complain(self) -> None:
        """Raises SourceError if a comparison was not believed, and no later one of the stream."""
        if self._complaints:
            raise SourceError("; ".join(self._complaints.values()))

    def _in_window(self, portion: Portion, window: Window) -> Iterator[Portion]:
        unit = portion.origin.name
        known = self._door.session.run(
            lambda connection: recent_rows.known_digests(
                connection, self._door.source, unit, [digest for digest, _ in window.digests]
            )
        )
        new = [digest not in known for digest, _ in window.digests]
        fresh = [one for one, is_new in zip(window.digests, new, strict=True) if is_new]
        again = [one for one in fresh if one[1] is None or one[1] >= window.floor]
        if fresh or portion.state is not None:
            yield replace(
                portion,
                rows=list(compress(portion.rows, new)),
                broken=list(compress(portion.broken, new[len(portion.rows) :])),
                known=len(new) - len(fresh),
                window=Window(again, window.floor),
            )
        else:
            self._pass_over(len(new))

    def _in_whole(self, portion: Portion, whole: Whole) -> Iterator[Portion]:
        stream = portion.origin.stream
        seen = self._seen.setdefault(stream.name, array("Q"))
        if whole.last:
            yield from self._ended(portion, whole, array("Q", sorted(seen)))
            del self._seen[stream.name]
            return
        keyed = [(key_in(stream, row), (name, row)) for name, row in portion.rows]
        keys = [key for key, _ in keyed if key is not None]
        seen.extend(map(_short, keys))
        standing = self._door.session.run(
            lambda connection: source_rows.newest_digests(
                connection, self._door.source, stream.name, keys
            )
        )
        fresh: list[Numbered] = [
            row for key, row in keyed if key is None or standing.get(key) != row_digest(row[1])
        ]
        if fresh or portion.broken or portion.state is not None:
            yield replace(portion, rows=fresh, known=len(keyed) - len(fresh), whole=None)
        else:
            self._pass_over(len(keyed))

    def _pass_over(self, count: int) -> None:
        self._door.report.read += count
        self._door.report.repeated += count

    def _ended(self, portion: Portion, whole: Whole, seen: array[int]) -> Iterator[Portion]:
        """Portions of the keys that stand and did not come, or none and a complaint."""
        stream, source = portion.origin.stream.name, self._door.source

        def count(connection: Connection) -> int:
            return source_rows.count_standing(connection, source, stream)

        standing = self._door.session.run(count)
        gone = [key for key in self._standing_keys(stream) if not _holds(seen, _short(key))]
        if complaint := whole.disbelief(portion.origin.name, len(gone), standing):
            self._complaints[stream] = complaint
            # Its rows stand before those of the next whole are compared.
            yield replace(portion, state=None)
            return
        self._complaints.pop(stream, None)
        for begin in range(0, len(gone), _KEYS):
            yield Portion(portion.origin, gone=gone[begin : begin + _KEYS])
        if portion.state is not None:
            yield portion

    def _standing_keys(self, stream: str) -> Iterator[str]:
        after = ""
        while True:
            keys = self._door.session.run(
                partial(
                    source_rows.standing_keys,
                    source=self._door.source,
                    stream=stream,
                    after=after,
                    limit=_KEYS,
                )
            )
            yield from keys
            if len(keys) < _KEYS:
                return
            after = keys[-1]


def _short(key: str) -> int:
    # Eight bytes for each key of a table, however many it has.
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest())


def _holds(ordered: array[int], wanted: int) -> bool:
    at = bisect_left(ordered, wanted)
    return at < len(ordered) and ordered[at] == wanted
