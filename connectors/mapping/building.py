"""Makes documents from records whose joins have been filled in."""

from __future__ import annotations

from collections import Counter
from typing import Any

from connectors.mapping.model import Assignment, Entries, Event, SourceMapping
from connectors.mapping.values import Draft, Node, Refusal, Rejection, from_micros


def made_of(mapping: SourceMapping, event: Event, node: Node) -> list[Draft | Rejection]:
    """The documents that ``event`` makes of ``node``: one, or one for each object of its list.

    Returns:
        None of a record that does not pass the event's ``when``; a Rejection for one that cannot
        become the document.
    """
    if event.within is None:
        made = draft_of(mapping, event, node)
        return [] if made is None else [made]
    try:
        if node.refusal is not None:
            raise node.refusal
        entries = event.within(node)
    except Refusal as refusal:
        return [_rejection(event, node, refusal)]
    several = [draft_of(mapping, event, entry, node) for entry in entries]
    return [made for made in several if made is not None]


def draft_of(
    mapping: SourceMapping, event: Event, node: Node, root: Node | None = None
) -> Draft | Rejection | None:
    """The document that ``event`` makes of ``node``, which may be an object within ``root``.

    Returns:
        None where the record does not pass the event's ``when``; a Rejection where it cannot
        become the document.
    """
    if root is None:
        root = node
    try:
        if root.refusal is not None:
            raise root.refusal
        if event.when is not None and not event.when(node):
            return None
        return _draft(mapping, event, node, root)
    except Refusal as refusal:
        return _rejection(event, root, refusal)


def withdrawn(mapping: SourceMapping, event: Event, node: Node) -> Draft | None:
    """The document marked as deleted, for a record that no longer passes the event's ``when``.

    None where it cannot be said which document that would be.
    """
    if event.within is not None:
        return None
    try:
        draft = _draft(mapping, event, node, node)
    except Refusal:
        return None
    draft.body["deleted"] = True
    return draft


def drafts_of(mapping: SourceMapping, events: list[Event], node: Node) -> list[Draft | Rejection]:
    """All documents made from one record as it arrives, which may state their version itself.

    Several versions of one document step by 1 µs.
    """
    results: list[Draft | Rejection] = []
    for event in events:
        if event.within is not None:
            results += made_of(mapping, event, node)
        elif (made := draft_of(mapping, event, node)) is not None:
            results.append(made)
    if node.dated and results:
        precise = mapping.streams[events[0].stream].precise
        for made in results:
            if isinstance(made, Draft):
                made.precise = precise
    if len(results) > 1:
        steps: Counter[tuple[str, str]] = Counter()
        for made in results:
            if isinstance(made, Draft):
                made.step = steps[made.document, made.id]
                steps[made.document, made.id] += 1
    return results


def _draft(mapping: SourceMapping, event: Event, node: Node, root: Node) -> Draft:
    key = event.key(node)
    if key is None:
        raise Refusal("no_key", f"the record names no {event.document}: its key is empty")
    body: dict[str, Any] = {"source": mapping.source, "id": key}
    _assign(body, event.assignments, node)
    for entries in event.lists:
        body[entries.name] = _entries(entries, node)
    if root.joined:
        changed, recorded = _latest(root)
    else:
        changed, recorded = node.changed, node.changed if node.dated else None
    if recorded is not None and body.get("recorded_at") is None:
        body["recorded_at"] = from_micros(recorded)
    if not event.timed:
        body["occurred_at"] = from_micros(node.changed if node.dated else 0)
    return Draft(event.document, key, body, changed, False, root.place, 0, root.row)


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
    try:
        return of.within(node)
    except Refusal as refusal:
        raise Refusal(refusal.code, f"{of.name}: {refusal.reason}") from refusal


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
