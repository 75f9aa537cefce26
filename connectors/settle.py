"""Gives documents their versions (DOMAIN.md §2, Versions); pure, what is known is handed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from connectors.encoding import Encoded
from connectors.mapping.values import from_micros
from sinks.source_versions import Seen


@dataclass(slots=True)
class Settled:
    """Which documents are new, with their versions, and which are known.

    ``announce`` says that the versions of ``seen`` are to be remembered before they are
    published; ``unconfirmed`` are those that an earlier process announced and that are not here.
    """

    new: list[tuple[Encoded, int]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    repeated: int = 0
    unconfirmed: list[Seen] = field(default_factory=list)
    announce: bool = False

    def drop(self, positions: Collection[int]) -> None:
        """Forget the new documents at these positions: they were not published."""
        dropped = {
            (one.draft.document, one.draft.id, one.digest)
            for one, _ in (self.new[position] for position in positions)
        }
        self.new = [one for place, one in enumerate(self.new) if place not in positions]
        self.seen = [one for one in self.seen if (one.document, one.key, one.digest) not in dropped]


@lru_cache(maxsize=10_000)
def change_text(micros: int) -> str:
    """A change date as the database keeps it: in UTC, so that texts compare like the dates."""
    return f"{from_micros(micros):%Y-%m-%dT%H:%M:%S.%fZ}"


def settle_direct(
    encoded: Iterable[Encoded], known: Iterable[Seen], unconfirmed: Collection[Seen] = ()
) -> Settled:
    """Settle documents that are made from one record each.

    A precise change time is the version. Else a (change date, digest) that is known is a repeat,
    and another content has the change date plus the number of contents that had it before. What
    a killed process was about to publish counts among these, in the log or not; where it comes
    again it gets the version that it had.

    Args:
        encoded: in the order of the source.
        known: every content seen under the change dates of ``encoded``.
        unconfirmed: what was announced, and not committed, by a process that was killed.
    """
    settled = Settled()
    contents: dict[tuple[str, str, str], dict[bytes, int]] = {}
    for seen in known:
        at = (seen.document, seen.key, seen.change_date)
        contents.setdefault(at, {})[seen.digest] = seen.version
    announced: dict[tuple[str, str, str], dict[bytes, int]] = {}
    for seen in unconfirmed:
        at = (seen.document, seen.key, seen.change_date)
        announced.setdefault(at, {})[seen.digest] = seen.version
    for one in encoded:
        draft = one.draft
        if draft.precise:
            settled.new.append((one, draft.changed + draft.step))
            continue
        at = (draft.document, draft.id, change_text(draft.changed))
        had = contents.setdefault(at, {})
        if one.digest in had:
            settled.repeated += 1
            continue
        before = announced.get(at, {})
        version = before.get(one.digest)
        if version is None:
            taken = [max(draft.changed, 1) - 1, *had.values(), *before.values()]
            version = max(taken) + 1
        had[one.digest] = version
        settled.new.append((one, version))
        settled.seen.append(Seen(*at, one.digest, version))
    settled.announce = bool(settled.seen)
    confirmed = set(settled.seen)
    settled.unconfirmed = [one for one in unconfirmed if one not in confirmed]
    return settled


def settle_joined(
    encoded: Iterable[Encoded], newest: Iterable[Seen], withdrawals: frozenset[int]
) -> Settled:
    """Settle documents that are built from kept rows.

    Their rows have already told repeats and stale records apart, so what is built now is what
    stands: only the content that stands already is a repeat. A content that comes back (because
    another part carries the newest date) gets a higher version, and so does one whose newest
    part has gone to another document.

    Args:
        encoded: as built now.
        newest: the newest content of each document that has one.
        withdrawals: the positions in ``encoded`` of documents that are withdrawn: nothing is
            said of one that was never published.
    """
    settled = Settled()
    standing = {(seen.document, seen.key): seen for seen in newest}
    for position, one in enumerate(encoded):
        draft = one.draft
        before = standing.get((draft.document, draft.id))
        if before is None and position in withdrawals:
            continue
        if before is not None and before.digest == one.digest:
            settled.repeated += 1
            continue
        version = max(draft.changed, 1)
        if before is not None:
            version = max(version, before.version + 1)
        date = change_text(draft.changed)
        now = Seen(draft.document, draft.id, date, one.digest, version)
        standing[draft.document, draft.id] = now
        settled.new.append((one, now.version))
        settled.seen.append(now)
    return settled
