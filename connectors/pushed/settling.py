"""Gives documents that were handed in their versions; pure, what is known is handed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.encoding import Encoded, encode_drafts
from connectors.mapping.values import Draft, Rejection, to_micros
from connectors.settle import Settled, change_text, settle_direct
from sinks.source_versions import Seen


class By(StrEnum):
    """What settles the version of a document."""

    VERSION = "version"
    """The source states it."""
    CHANGE = "recorded_at"
    """The source states when it last changed the document: contents count up from there."""
    ARRIVAL = "arrival"
    """It states neither: what comes later is newer, and what stands already is a repeat."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A document that was handed in and keeps its contract.

    ``draft.changed`` is its version, change or arrival in µs; ``traceparent`` is the span that it
    is published in, if any.
    """

    encoded: Encoded
    by: By
    traceparent: bytes | None = None

    @property
    def draft(self) -> Draft:
        """The document."""
        return self.encoded.draft

    @property
    def source(self) -> str:
        """The system that it comes from."""
        source: str = self.encoded.draft.body["source"]
        return source


@dataclass(frozen=True, slots=True)
class Verdict:
    """The version of a document, and whether it was known under it before."""

    version: int
    repeated: bool


def pushed(
    document: str,
    body: dict[str, Any],
    arrived_at: int,
    place: str,
    traceparent: bytes | None = None,
) -> Pushed | Rejection:
    """A document as it was handed in, by what its version is settled; or why it is refused.

    Args:
        document: its type.
        body: as ``read_document`` gives it; its ``version``, if there is one, is above 0.
        arrived_at: when the request came, in µs since 1970.
        place: of the request, for people.
        traceparent: the span that it is published in, if any.
    """
    version, recorded = body.pop("version", None), body.get("recorded_at")
    if version is not None:
        by, changed = By.VERSION, version
    elif recorded is not None:
        by, changed = By.CHANGE, to_micros(recorded)
    else:
        by, changed = By.ARRIVAL, arrived_at
    draft = Draft(document, body["id"], body, changed, by is By.VERSION, place)
    (encoded,) = encode_drafts([draft])
    return encoded if isinstance(encoded, Rejection) else Pushed(encoded, by, traceparent)


def settle_pushed(
    documents: Sequence[Pushed],
    known: Iterable[Seen],
    newest: Iterable[Seen],
    unconfirmed: Collection[Seen],
) -> tuple[Settled, list[Verdict]]:
    """Settle documents of one source.

    Args:
        documents: in the order of their arrival.
        known: every content seen under the change dates of those settled by their change.
        newest: the newest content of each of those settled by their arrival.
        unconfirmed: what was announced, and not committed, by a process that was killed.

    Returns:
        What is new and to be remembered, and a verdict for each of ``documents``.
    """
    known = list(known)
    settled = settle_direct(
        [one.encoded for one in documents if one.by is not By.ARRIVAL], known, unconfirmed
    )
    versions = {id(one): Verdict(version, False) for one, version in settled.new}
    had = {_content(seen): seen.version for seen in (*known, *settled.seen)}
    ascending = sorted((*newest, *settled.seen), key=lambda seen: seen.version)
    standing = {(seen.document, seen.key): seen for seen in ascending}
    announced: dict[tuple[str, str], list[Seen]] = {}
    for seen in unconfirmed:
        announced.setdefault((seen.document, seen.key), []).append(seen)
    verdicts: list[Verdict] = []
    for one in documents:
        verdict = versions.get(id(one.encoded))
        if verdict is None and one.by is By.CHANGE:
            verdict = Verdict(had[_content_of(one.encoded)], True)
        elif verdict is None:
            verdict = _by_arrival(one.encoded, standing, announced, settled)
        verdicts.append(verdict)
    confirmed = set(settled.seen)
    settled.unconfirmed = [one for one in unconfirmed if one not in confirmed]
    settled.announce = bool(settled.seen)
    return settled, verdicts


def _by_arrival(
    one: Encoded,
    standing: dict[tuple[str, str], Seen],
    announced: dict[tuple[str, str], list[Seen]],
    settled: Settled,
) -> Verdict:
    draft = one.draft
    key = draft.document, draft.id
    before = standing.get(key)
    if before is not None and before.digest == one.digest:
        settled.repeated += 1
        return Verdict(before.version, True)
    # What was announced is in the log or it is not, and nobody else may get its version.
    promised = announced.get(key, ())
    at = change_text(draft.changed)
    lowest = before.version if before is not None else 0
    same = [seen for seen in promised if seen.digest == one.digest]
    # A content that came twice with another between them was promised two versions.
    above = [seen for seen in same if seen.version > lowest]
    again = above or [seen for seen in same if seen.change_date == at]
    if again:
        now = min(again, key=lambda seen: seen.version)
    else:
        version = max(draft.changed, lowest + 1, *(seen.version + 1 for seen in promised), 1)
        now = Seen(*key, at, one.digest, version)
    if before is None or now.version > before.version:
        standing[key] = now
    settled.new.append((one, now.version))
    settled.seen.append(now)
    return Verdict(now.version, False)


def _content(seen: Seen) -> tuple[str, str, str, bytes]:
    return seen.document, seen.key, seen.change_date, seen.digest


def _content_of(one: Encoded) -> tuple[str, str, str, bytes]:
    draft = one.draft
    return draft.document, draft.id, change_text(draft.changed), one.digest
