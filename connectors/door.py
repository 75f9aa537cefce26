"""A source with all that it works with, and the steps from drafts to a committed cursor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from connectors.confirming import announce, publish_new, remember
from connectors.encoding import Encoded, encode_drafts
from connectors.letters import stage_of
from connectors.mapping.model import SourceMapping
from connectors.mapping.values import Draft, Rejection
from connectors.publish import Publisher
from connectors.report import OnProgress, SourceReport
from connectors.settle import Settled, change_text, settle_direct, settle_joined
from connectors.traces import Trace, new_trace
from hub import metrics
from sinks import dead_letters, source_versions
from sinks.dead_letters import DeadLetter
from sinks.session import Session
from sinks.source_versions import Seen

Connection = psycopg.Connection[Any]


@dataclass(slots=True)
class Door:
    """A source being read: its mapping, the database, the log, and what was done so far.

    ``held`` raises if the right to read the source was lost; ``resting`` gives it up for a while,
    so that a dead letter can be replayed between two passes. ``trace`` is that of the pass.
    """

    source: str
    mapping: SourceMapping
    session: Session
    publisher: Publisher
    report: SourceReport
    held: Callable[[], None]
    resting: Callable[[], AbstractContextManager[None]]
    on_progress: OnProgress | None = None
    trace: Trace = field(default_factory=new_trace)

    def settle_direct(
        self, drafts: Sequence[Draft]
    ) -> tuple[Settled, list[tuple[Draft, Rejection]]]:
        """Encode and settle documents made from single records; rejections with their drafts."""
        results = encode_drafts(drafts)
        encoded = [result for result in results if isinstance(result, Encoded)]
        rejections = [
            (draft, result)
            for draft, result in zip(drafts, results, strict=True)
            if isinstance(result, Rejection)
        ]
        wanted = {
            (one.draft.document, one.draft.id, change_text(one.draft.changed))
            for one in encoded
            if not one.draft.precise
        }
        if not wanted:
            return settle_direct(encoded, []), rejections

        def look(connection: Connection) -> tuple[list[Seen], list[Seen]]:
            known = source_versions.seen_at(connection, self.source, wanted)
            return known, source_versions.unconfirmed(connection, self.source)

        return settle_direct(encoded, *self.session.run(look)), rejections

    def settle_joined(
        self, drafts: Sequence[Draft], withdrawals: Sequence[Draft]
    ) -> tuple[Settled, list[tuple[int, Rejection]]]:
        """Encode and settle documents built from kept rows; rejections with their positions."""
        results = encode_drafts([*drafts, *withdrawals])
        encoded: list[Encoded] = []
        withdrawn: set[int] = set()
        rejections: list[tuple[int, Rejection]] = []
        for position, result in enumerate(results):
            if isinstance(result, Encoded):
                if position >= len(drafts):
                    withdrawn.add(len(encoded))
                encoded.append(result)
            elif position < len(drafts):
                rejections.append((position, result))
        wanted = {(one.draft.document, one.draft.id) for one in encoded}
        newest = self.session.run(
            lambda connection: source_versions.newest_seen(connection, self.source, wanted)
        )
        return settle_joined(encoded, newest, frozenset(withdrawn)), rejections

    def publish(self, settled: Settled) -> list[tuple[Draft, Rejection]]:
        """Publish what is new; returns when the broker has acknowledged all of it.

        Versions that only the database settles are announced there before: a process that is
        killed between publishing and ``commit`` leaves word of which may be taken.

        Returns:
            The drafts that the log can never take; they are gone from ``settled``.
        """
        if settled.new and settled.announce:
            self.session.run(lambda connection: announce(connection, self.source, settled))
        span = self.trace.span()
        refused = publish_new(self.publisher, settled.new, lambda _: span)
        rejections = [(settled.new[position][0].draft, one) for position, one in refused.items()]
        settled.drop(refused.keys())
        return rejections

    def commit(
        self,
        settled: Settled,
        letters: Sequence[DeadLetter],
        work: Callable[[Connection], int],
        read: int = 0,
    ) -> None:
        """Remember versions and dead letters together with ``work``, which moves the cursor.

        ``work`` returns how many rows it found to be repeats; it may run several times.
        """
        self.held()

        def transaction(connection: Connection) -> int:
            dead_letters.add(connection, letters)
            remember(connection, self.source, settled)
            return work(connection)

        repeated = self.session.run(transaction)
        self.report.read += read
        self.report.published += len(settled.new)
        self.report.repeated += settled.repeated + repeated
        self.report.rejected += len(letters)
        metrics.SOURCE_RECORDS.labels(self.source).inc(read)
        for document, count in Counter(one.draft.document for one, _ in settled.new).items():
            metrics.SOURCE_EVENTS.labels(self.source, document).inc(count)
        for letter in letters:
            metrics.DEAD_LETTERS.labels(stage_of(self.source), letter.code).inc()
        if self.on_progress is not None:
            self.on_progress(self.report)
