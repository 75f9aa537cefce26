"""Shows what a mapping makes of files, with no Kafka and no database."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.files.places import Place
from connectors.files.reading import read_chunks
from connectors.files.units import Unit, find_units
from connectors.mapping.building import draft_of, drafts_of
from connectors.mapping.joins import fill, node_of
from connectors.mapping.memory import MemoryRows
from connectors.mapping.model import SourceMapping
from connectors.mapping.records import direct_events, kept_from, node_from
from connectors.mapping.values import Draft, Rejection


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
    for unit in find_units(path, mapping.streams, mapping.zone):
        _read(run, mapping, rows, unit)
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


def _read(run: DryRun, mapping: SourceMapping, rows: MemoryRows, unit: Unit) -> None:
    stream = unit.stream
    events = direct_events(mapping, stream.name)
    with unit.path.open("rb") as file:
        for chunk in read_chunks(file, unit, Place(), final=True):
            run.read += len(chunk.rows) + len(chunk.broken)
            run.rejections += [
                Rejection(line.code, line.reason, f"{unit.name}:{line.line}")
                for line in chunk.broken
            ]
            for line, row in chunk.rows:
                node = node_from(stream, row, f"{unit.name}:{line}", unit.dated)
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
