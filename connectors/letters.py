"""Dead letters of a source: the original record, where it stood, why it was refused."""

from __future__ import annotations

from typing import Any

import orjson

from connectors.mapping.model import SourceMapping, Stream
from connectors.mapping.values import Rejection
from connectors.portions import Broken, Origin
from sinks.dead_letters import DeadLetter


def stage_of(source: str) -> str:
    """The stage of a source's dead letters."""
    return f"connector:{source}"


def letter_for_line(
    mapping: SourceMapping, source: str, origin: Origin, broken: Broken
) -> DeadLetter:
    """Bytes that are no record, with what is needed to read them again."""
    return DeadLetter(
        stage=stage_of(source),
        code=broken.code,
        reason=broken.reason,
        place=f"{origin.name}:{broken.number}",
        value=broken.raw,
        # A letter that is read again has all its headers as texts.
        headers=_headers(
            **{
                **origin.texts,
                "form": "line",
                "unit": origin.name,
                "stream": origin.stream.name,
                "dated": str(origin.date_of(broken.number)),
            }
        ),
        mapping=mapping.profile,
        mapping_version=mapping.version,
        part=_stream_part(origin.stream),
    )


def letter_for_record(
    mapping: SourceMapping, source: str, origin: Origin, rejection: Rejection
) -> DeadLetter:
    """A record that could not be mapped."""
    dated = str(origin.date_of(rejection.place.rpartition(":")[2]))
    headers = _headers(form="record", stream=origin.stream.name, dated=dated)
    return _letter(mapping, source, rejection, _stream_part(origin.stream), headers)


def letter_for_document(
    mapping: SourceMapping, source: str, event: str, row_key: str, rejection: Rejection
) -> DeadLetter:
    """A document that could not be built from kept rows; the record is that of its own row."""
    headers = _headers(form="document", event=event, row_key=row_key)
    return _letter(mapping, source, rejection, f"event {event}", headers)


def _stream_part(stream: Stream) -> str:
    return f"stream {stream.name}"


def _letter(
    mapping: SourceMapping,
    source: str,
    rejection: Rejection,
    part: str,
    headers: list[tuple[str, bytes]],
) -> DeadLetter:
    return DeadLetter(
        stage=stage_of(source),
        code=rejection.code,
        reason=rejection.reason,
        document=rejection.document,
        place=rejection.place,
        value=record_bytes(rejection.row),
        headers=headers,
        mapping=mapping.profile,
        mapping_version=mapping.version,
        part=part,
    )


def record_bytes(row: Any) -> bytes:
    """A record as JSON."""
    return orjson.dumps(dict(row), default=str)


def _headers(**texts: str) -> list[tuple[str, bytes]]:
    return [(name, text.encode()) for name, text in texts.items()]


def header_texts(letter: DeadLetter) -> dict[str, str]:
    """The headers of a letter as texts, whether it comes from here or from the database."""
    return {name: value.decode() for name, value in letter.headers if value is not None}
