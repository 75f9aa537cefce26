"""Shows what a mapping makes of files, with no Kafka and no database."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.files.source import FilesReader
from connectors.mapping.building import draft_of, drafts_of
from connectors.mapping.joins import fill, node_of
from connectors.mapping.memory import MemoryRows
from connectors.mapping.model import SourceMapping
from connectors.mapping.records import direct_events, kept_from, node_from
from connectors.mapping.values import Draft, Rejection
from connectors.portions import Portion


@dataclass(slots=True)
class DryRun:
    """What would have been published, and what refused; ``read`` counts records."""

    drafts: list[Draft] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    read: int = 0

    def bodies(self, document: str) -> list[dict[str, object]]:
        """The documents of one type."""
        return [draft.body for draft in self.drafts if draft.document == document]


def dry_run(mapping: SourceMapping, path: str) -> DryRun:
    """Read the files under ``path`` to their ends and map them.

    Raises:
        SourcePathError: there is nothing at ``path``.
    """
    run = DryRun()
    rows = MemoryRows(mapping)
    for portion in FilesReader(path, mapping, mapping.source).portions({}, final=True):
        _read(run, mapping, rows, portion)
    for event in mapping.events:
        if not event.joins:
            continue
        nodes = [
            node_of(mapping, event.stream, kept)
            for kept in rows.rows(event.stream, rows.keys(event.stream)).values()
        ]
        gaps = fill(mapping, rows, event.joins, nodes)
        for position, node in enumerate(nodes):
            if position in gaps:
                missing = ", ".join(gap.text for gap in gaps[position])
                run.rejections.append(
                    Rejection("missing_part", f"{missing} never came", node.place, event.document)
                )
                continue
            _add(run, [draft_of(mapping, event, node)])
    return run


def _read(run: DryRun, mapping: SourceMapping, rows: MemoryRows, portion: Portion) -> None:
    origin = portion.origin
    stream = origin.stream
    events = direct_events(mapping, stream.name)
    run.read += len(portion.rows) + len(portion.broken)
    run.rejections += [
        Rejection(one.code, one.reason, f"{origin.name}:{one.number}") for one in portion.broken
    ]
    for number, row in portion.rows:
        node = node_from(stream, row, f"{origin.name}:{number}", origin.dated)
        if isinstance(node, Rejection):
            run.rejections.append(node)
            continue
        _add(run, list(drafts_of(mapping, events, node)))
        if stream.joined:
            kept = kept_from(stream, node)
            if isinstance(kept, Rejection):
                run.rejections.append(kept)
            else:
                rows.put(stream.name, kept)


def _add(run: DryRun, results: list[Draft | Rejection | None]) -> None:
    for result in results:
        if isinstance(result, Draft):
            run.drafts.append(result)
        elif result is not None:
            run.rejections.append(result)
