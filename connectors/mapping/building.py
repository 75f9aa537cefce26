"""Makes documents from records whose joins have been filled in."""

from __future__ import annotations

from typing import Any

from connectors.mapping.model import Assignment, Entries, Event, SourceMapping
from connectors.mapping.values import Draft, Node, Refusal, Rejection, from_micros, shown


def draft_of(mapping: SourceMapping, event: Event, node: Node) -> Draft | Rejection | None:
    """The document that ``event`` makes of ``node``.

    Returns:
        None where the record does not pass the event's ``when``; a Rejection where it cannot
        become the document.
    """
    try:
        if event.when is not None and not event.when(node):
            return None
        return _draft(mapping, event, node)
    except Refusal as refusal:
        return _rejection(event, node, refusal)


def withdrawn(mapping: SourceMapping, event: Event, node: Node) -> Draft | None:
    """The document marked as deleted, for a record that no longer passes the event's ``when``.

    None where it cannot be said which document that would be.
    """
    try:
        draft = _draft(mapping, event, node)
    except Refusal:
        return None
    draft.body["deleted"] = True
    return draft


def drafts_of(mapping: SourceMapping, events: list[Event], node: Node) -> list[Draft | Rejection]:
    """All documents made from one record; several versions of one document step by 1 µs."""
    results: list[Draft | Rejection] = []
    for event in events:
        made = draft_of(mapping, event, node)
        if made is None:
            continue
        if len(events) > 1 and isinstance(made, Draft):
            made.step = sum(
                1
                for other in results
                if isinstance(other, Draft)
                and other.document == made.document
                and other.id == made.id
            )
        results.append(made)
    return results


def _draft(mapping: SourceMapping, event: Event, node: Node) -> Draft:
    key = event.key(node)
    if key is None:
        raise Refusal("no_key", f"the record names no {event.document}: its key is empty")
    body: dict[str, Any] = {"source": mapping.source, "id": key}
    _assign(body, event.assignments, node)
    for entries in event.lists:
        body[entries.name] = _entries(entries, node)
    if event.joins:
        changed, recorded = _latest(node)
    else:
        changed, recorded = node.changed, node.changed if node.dated else None
    if recorded is not None and body.get("recorded_at") is None:
        body["recorded_at"] = from_micros(recorded)
    if not event.timed:
        body["occurred_at"] = from_micros(node.changed if node.dated else 0)
    precise = node.dated and not event.joins and mapping.streams[event.stream].precise
    return Draft(event.document, key, body, changed, precise, node.place, 0, node.row)


def _assign(body: dict[str, Any], assignments: tuple[Assignment, ...], node: Node) -> None:
    for name, value_of in assignments:
        value = value_of(node)
        # Left out, so that the contract's default holds.
        if value is not None:
            body[name] = value


def _entries(of: Entries, node: Node) -> list[dict[str, Any]]:
    entries = []
    for record in _records(of, node):
        if of.when is None or of.when(record):
            entry: dict[str, Any] = {}
            _assign(entry, of.assignments, record)
            entries.append(entry)
    return entries


def _records(of: Entries, node: Node) -> list[Node]:
    if of.over is not None:
        joined: list[Node] = node.joined[of.over]
        return joined
    if of.within is None:
        return [node]
    found = of.within(node)
    if found is None:
        return []
    if not isinstance(found, list) or any(not isinstance(each, dict) for each in found):
        raise Refusal("not_a_list", f"{of.name}: {shown(found)} is no list of objects")
    return [Node(each, node.place, node.changed, node.dated, node) for each in found]


def _latest(node: Node) -> tuple[int, int | None]:
    """The newest change among a record and all that was joined to it, and the newest stated one."""
    changed, recorded = node.changed, node.changed if node.dated else None
    for found in node.joined.values():
        for part in found if isinstance(found, list) else [] if found is None else [found]:
            part_changed, part_recorded = _latest(part)
            changed = max(changed, part_changed)
            if part_recorded is not None:
                recorded = max(recorded or 0, part_recorded)
    return changed, recorded


def _rejection(event: Event, node: Node, refusal: Refusal) -> Rejection:
    return Rejection(refusal.code, refusal.reason, node.place, event.document, node.row)
