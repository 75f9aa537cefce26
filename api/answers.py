"""The answers to requests that publish: one event's fate, or that of each in a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from api.event_reading import Events, refused
from api.problems import Problem, Refused
from connectors.mapping.values import Rejection
from connectors.pushed.settling import Pushed, Verdict
from sinks.idempotency import Answered

#: What became of an event that was handed in.
Fate = Verdict | Rejection | Refused

_STATUS = {True: "repeated", False: "accepted"}


def answer(events: Events, fates: Sequence[Fate]) -> Answered:
    """The answer to a request: 202 where all was taken, 207 where some was, 422 where nothing was.

    Args:
        events: of the request.
        fates: of each of them.
    """
    if events.single:
        return _single(events.handed[0], fates[0], events.pointers[0])
    each = zip(events.handed, fates, events.pointers, strict=True)
    items = [{"index": index, **_item(*one)} for index, one in enumerate(each)]
    counts = Counter(item["status"] for item in items)
    summary = {name: counts[name] for name in ("accepted", "repeated", "rejected")}
    taken = len(items) - counts["rejected"]
    if items and not taken:
        detail = f"none of the {len(items)} events was taken; items says why"
        problem = Problem(422, "rejected", detail, more={**summary, "items": items})
        return Answered(422, problem.body())
    status = 207 if counts["rejected"] else 202
    return Answered(status, orjson.dumps({**summary, "items": items}))


def outcome(fate: Fate) -> str:
    """A word for what became of an event: accepted, repeated or rejected."""
    return _STATUS[fate.repeated] if isinstance(fate, Verdict) else "rejected"


def _single(handed: Pushed | Refused, fate: Fate, pointer: str) -> Answered:
    if isinstance(fate, Verdict):
        return Answered(202, orjson.dumps(_item(handed, fate, pointer)))
    refusal = _refusal(handed, fate, pointer)
    problem = Problem(422, refusal.code, refusal.detail, refusal.faults)
    return Answered(422, problem.body())


def _item(handed: Pushed | Refused, fate: Fate, pointer: str) -> dict[str, Any]:
    if isinstance(fate, Verdict):
        assert isinstance(handed, Pushed)
        draft = handed.draft
        return {
            "status": _STATUS[fate.repeated],
            "type": draft.document,
            "source": draft.body["source"],
            "id": draft.id,
            "version": fate.version,
        }
    refusal = _refusal(handed, fate, pointer)
    item: dict[str, Any] = {"status": "rejected", "code": refusal.code, "detail": refusal.detail}
    id = _id_of(handed)
    if id is not None:
        item["id"] = id
    if refusal.faults:
        item["errors"] = [fault.as_json() for fault in refusal.faults]
    return item


def _refusal(handed: Pushed | Refused, fate: Rejection | Refused, pointer: str) -> Refused:
    if isinstance(fate, Refused):
        return fate
    assert isinstance(handed, Pushed)
    return refused(fate, handed.draft.id, pointer)


def _id_of(handed: Pushed | Refused) -> str | None:
    return handed.draft.id if isinstance(handed, Pushed) else handed.id
