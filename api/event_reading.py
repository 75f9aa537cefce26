"""Reads the events of a request: which documents it holds, and which of them cannot be taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api import cloud_events
from api.cloud_events import EventText
from api.media_types import BATCH, JSON, LINES, STRUCTURED
from api.originals import originals
from api.problems import Fault, Problem, Refused
from connectors.mapping.contract import contract_of
from connectors.mapping.values import Rejection, shown
from connectors.pushed.documents import UnfitDocument, read_document
from connectors.pushed.json_text import BrokenJson, parse_json
from connectors.pushed.settling import Pushed, pushed
from hub.settings import Api
from schemas.catalogue import TOPICS

MEDIA_TYPES = (JSON, "application/x-ndjson", STRUCTURED, BATCH)

_LONGEST_SOURCE = 200
#: What is decided in the hub is not published to it.
_WITHIN = frozenset({"decision"})
_EVENTS = [one for one in TOPICS.values() if one.kind == "event" and one.document not in _WITHIN]
#: Types of documents by their own names and by those of their topics.
DOCUMENT_OF: Mapping[str, str] = {
    **{topic.document: topic.document for topic in _EVENTS},
    **{topic.name: topic.document for topic in _EVENTS},
}
KNOWN_TYPES = tuple(topic.document for topic in _EVENTS)


@dataclass(frozen=True, slots=True)
class Content:
    """The body of a request to publish, and what its headers say of it."""

    media_type: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a request, in their order, each with the JSON pointer to its document."""

    handed: Sequence[Pushed | Refused]
    pointers: Sequence[str]
    single: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How events are read: in which bounds, when they came, and in which request."""

    limits: Api
    arrived_at: int
    request: str
    read_elsewhere: frozenset[str]
    """Sources that the hub reads itself, so that no version of theirs is settled here."""
    traceparent: bytes | None = None
    """The span that the events are published in, if the request belongs to a trace."""


def document_named(name: str) -> str:
    """The document type of this name, or of the topic of this name.

    Raises:
        Problem: there is none.
    """
    document = DOCUMENT_OF.get(name)
    if document is None:
        detail = f"there is no event type {shown(name)}; the types are {', '.join(KNOWN_TYPES)}"
        raise Problem(404, "unknown_type", detail, more={"types": KNOWN_TYPES})
    return document


def read_events(document: str | None, content: Content, reading: Reading) -> Events:
    """The events of a request.

    Args:
        document: the type that the address names; None where each CloudEvent has to.
        content: of the request.
        reading: how it is read.

    Raises:
        Problem: the request as a whole is none that can be taken.
    """
    try:
        texts, single = _texts(document, content, reading.limits)
    except BrokenJson as error:
        raise Problem(400, "broken_json", f"the body is no JSON: {error}") from error
    most = reading.limits.batch_events
    if len(texts) > most:
        detail = f"the body has {len(texts)} events, and at most {most} are taken at once"
        raise Problem(413, "too_many_events", detail, more={"limit": most})
    handed = [_event(document, text, index, reading) for index, text in enumerate(texts)]
    if any(isinstance(one, Refused) for one in handed):
        sent = originals(content.media_type, content.body, single=single)
        handed = [
            replace(one, original=original) if isinstance(one, Refused) else one
            for one, original in zip(handed, sent, strict=True)
        ]
    return Events(handed, [getattr(text, "pointer", "") for text in texts], single)


def _texts(
    document: str | None, content: Content, limits: Api
) -> tuple[list[EventText | Refused], bool]:
    kind, body, deepest = content.media_type, content.body, limits.depth
    if kind == STRUCTURED:
        return [cloud_events.structured(parse_json(body, deepest), "", deepest)], True
    if kind == BATCH:
        values = parse_json(body, deepest)
        if not isinstance(values, list):
            raise Problem(400, "not_a_list", "a batch of CloudEvents is a JSON list")
        return [
            cloud_events.structured(value, f"/{index}", deepest)
            for index, value in enumerate(values)
        ], False
    if kind != JSON and kind not in LINES:
        detail = f"the content type {kind!r} is not taken; these are: {', '.join(MEDIA_TYPES)}"
        raise Problem(415, "unsupported_media_type", detail, headers={"Accept": JSON})
    if cloud_events.is_binary(content.headers):
        return [cloud_events.binary(content.headers, body, deepest)], True
    if document is None:
        detail = f"name the type in the address (/v1/events/{KNOWN_TYPES[0]}), or send a CloudEvent"
        raise Problem(400, "no_type", detail)
    if kind in LINES:
        return list(_lines(body, deepest)), False
    value = parse_json(body, deepest)
    if isinstance(value, list):
        return [EventText(each, f"/{index}") for index, each in enumerate(value)], False
    return [EventText(value)], True


def _lines(body: bytes, deepest: int) -> Iterator[EventText | Refused]:
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield EventText(parse_json(line, deepest))
        except BrokenJson as error:
            yield Refused("broken_json", f"line {number} is no JSON: {error}")


def _event(
    document: str | None, text: EventText | Refused, index: int, reading: Reading
) -> Pushed | Refused:
    if isinstance(text, Refused):
        return text
    # An upstream's own word for its events says nothing where the address names the type.
    named = DOCUMENT_OF.get(text.type or "", document)
    if named is None or named != (document or named):
        wanted = document or f"one of {', '.join(KNOWN_TYPES)}"
        return _refused("type", f"the event's type is {shown(text.type)}, not {wanted}", text)
    document = named
    try:
        body = read_document(document, text.plain)
    except UnfitDocument as unfit:
        faults = [
            Fault(f"{text.pointer}{one.pointer}", one.code, one.reason) for one in unfit.problems
        ]
        return Refused(faults[0].code, faults[0].detail, faults, _id_of(text.plain))
    problem = _header_problem(body, reading)
    if problem is not None:
        field, code, detail = problem
        fault = Fault(f"{text.pointer}/{field}", code, detail)
        return Refused(code, detail, [fault], body["id"])
    place = f"http:{reading.request}:{index}"
    taken = pushed(document, body, reading.arrived_at, place, reading.traceparent)
    return refused(taken, body["id"], text.pointer) if isinstance(taken, Rejection) else taken


def refused(rejection: Rejection, id: str, pointer: str) -> Refused:
    """A document that was rejected, as the answer tells it.

    Args:
        rejection: of the document.
        id: of the document.
        pointer: to the document in the body.
    """
    # The codes of rules on a single field are its name.
    document, code = rejection.document, rejection.code
    named = document is not None and code in contract_of(document)
    place = f"{pointer}/{code}" if named else pointer
    # The answer names the document beside it.
    detail = rejection.reason.removeprefix(f"{id}: ")
    return Refused(code, detail, [Fault(place, code, detail)], id, document)


def _header_problem(body: Mapping[str, Any], reading: Reading) -> tuple[str, str, str] | None:
    """What is wrong with source or version: the field, a code, a sentence."""
    source, version = body["source"], body.get("version")
    if len(source) > _LONGEST_SOURCE:
        return "source", "source", f"the source has more than {_LONGEST_SOURCE} characters"
    if version is not None and version <= 0:
        return "version", "version", f"the version is {version}; it is above 0"
    if version is None and source in reading.read_elsewhere:
        detail = (
            f"the hub reads the source {source!r} itself and counts its versions there: state the"
            " version, or name another source"
        )
        return "version", "version_needed", detail
    return None


def _id_of(plain: Any) -> str | None:
    id = plain.get("id") if isinstance(plain, dict) else None
    return id[:200] if isinstance(id, str) else None


def _refused(code: str, detail: str, text: EventText) -> Refused:
    return Refused(code, detail, [Fault(text.pointer, code, detail)], _id_of(text.plain))
