"""Shows what a mapping makes of records, with no Kafka and no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from connectors.encoding import Encoded, encode_drafts
from connectors.files.source import FilesReader
from connectors.mapping.building import drafts_of, made_of
from connectors.mapping.joins import fill, roots
from connectors.mapping.memory import MemoryRows
from connectors.mapping.model import Event, SourceMapping
from connectors.mapping.records import direct_events, kept_from, key_in, node_from
from connectors.mapping.usage import Usage
from connectors.mapping.values import Draft, Rejection
from connectors.portions import Portion, Whole


@dataclass(slots=True)
class DryRun:
    """What would have been published, and what refused; ``read`` counts records by origin."""

    drafts: list[Draft] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    origins: dict[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    @property
    def read(self) -> int:
        """How many records were read."""
        return sum(self.origins.values())

    def bodies(self, document: str) -> list[dict[str, object]]:
        """The documents of one type."""
        return [draft.body for draft in self.drafts if draft.document == document]


def dry_run(mapping: SourceMapping, path: str) -> DryRun:
    """Read the files under ``path`` to their ends and map them.

    Raises:
        SourceError: there is nothing at ``path``.
    """
    return dry_run_of(mapping, FilesReader(path, mapping, mapping.source).portions({}, final=True))


def dry_run_of(mapping: SourceMapping, portions: Iterable[Portion]) -> DryRun:
    """Map records, the documents of joined ones at the end of all ``portions``."""
    run = DryRun()
    rows = MemoryRows(mapping)
    came: dict[str, set[str]] = defaultdict(set)
    for portion in portions:
        _read(run, mapping, rows, portion)
        if portion.whole is not None:
            _compare(run, rows, portion, portion.whole, came[portion.origin.stream.name])
    for event in mapping.events:
        if not mapping.is_kept(event):
            continue
        keys = rows.roots(event)
        found = roots(mapping, rows, event, keys)
        absent = [key for key in keys if key not in found]
        _withdraw_gone(run, mapping, rows.with_gone(), event, absent)
        nodes = list(found.values())
        gaps = fill(mapping, rows, event.joins, nodes)
        for position, node in enumerate(nodes):
            made = made_of(mapping, event, node)
            if made and position in gaps:
                missing = ", ".join(gap.text for gap in gaps[position])
                reason = f"{missing} never came"
                run.rejections.append(
                    Rejection("missing_part", reason, node.place, event.document, node.row)
                )
                continue
            _add(run, made)
    return run


def _compare(run: DryRun, rows: MemoryRows, portion: Portion, whole: Whole, came: set[str]) -> None:
    """Take what stands and did not come with a whole for gone; ``came`` are the keys that did."""
    stream = portion.origin.stream
    came |= {key for _, row in portion.rows if (key := key_in(stream, row)) is not None}
    if not whole.last:
        return
    standing = rows.standing(stream.name)
    gone = [key for key in standing if key not in came]
    came.clear()
    if reason := whole.disbelief(portion.origin.name, len(gone), len(standing)):
        run.rejections.append(Rejection("not_whole", reason, portion.origin.name))
    else:
        rows.take_gone(stream.name, gone)


def _withdraw_gone(
    run: DryRun, mapping: SourceMapping, rows: MemoryRows, event: Event, keys: list[str]
) -> None:
    """Documents whose own rows are gone, marked as deleted; the rest is as it last was."""
    nodes = list(roots(mapping, rows, event, keys).values())
    fill(mapping, rows, event.joins, nodes)
    for node in nodes:
        for made in made_of(mapping, event, node):
            if isinstance(made, Draft):
                made.body["deleted"] = True
            _add(run, [made])


def held_against_contracts(run: DryRun) -> DryRun:
    """The same with each document encoded, read back and validated as before publishing."""
    results = encode_drafts(run.drafts)
    kept = [draft for draft, one in zip(run.drafts, results, strict=True) if _is_kept(one)]
    refused = [one for one in results if isinstance(one, Rejection)]
    return replace(run, drafts=kept, rejections=[*run.rejections, *refused])


def _is_kept(result: Encoded | Rejection) -> bool:
    return isinstance(result, Encoded)


def _read(run: DryRun, mapping: SourceMapping, rows: MemoryRows, portion: Portion) -> None:
    origin = portion.origin
    stream = origin.stream
    events = direct_events(mapping, stream.name)
    count = len(portion.rows) + len(portion.broken)
    run.origins[origin.name] = run.origins.get(origin.name, 0) + count
    run.rejections += [
        Rejection(one.code, one.reason, f"{origin.name}:{one.number}") for one in portion.broken
    ]
    for number, record in portion.rows:
        row = run.usage.watched(stream.name, record)
        node = node_from(stream, row, f"{origin.name}:{number}", origin.dated)
        if isinstance(node, Rejection):
            run.rejections.append(node)
            continue
        _add(run, drafts_of(mapping, events, node))
        if stream.joined:
            for kept in kept_from(stream, node):
                if isinstance(kept, Rejection):
                    run.rejections.append(kept)
                else:
                    # A partial one is laid over others, and none of them is watched any more.
                    rows.put(stream.name, kept if kept.partial else replace(kept, row=row))


def _add(run: DryRun, results: Iterable[Draft | Rejection]) -> None:
    for result in results:
        if isinstance(result, Draft):
            run.drafts.append(result)
        else:
            run.rejections.append(result)
