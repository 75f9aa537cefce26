"""The one codec: documents to and from the Confluent wire format, with every byte accounted for.

A message is a zero byte, the schema id in four bytes, big-endian, and the Avro body. It is read by
the released version of the contract with that id, and is a document of the present one: from here
on nobody can tell with which version it was written. What cannot be read is returned as
``Rejected``, never raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

from fastavro import schemaless_writer

from schemas.catalogue import Topic, by_schema_id
from schemas.primitives import Malformed

Document = dict[str, Any]

_HEAD = 5
_UNREADABLE = (Malformed, IndexError, UnicodeDecodeError)
#: What a compiled writer raises; a text that has no encoding is a ValueError, as ``Unfit`` is.
_NOT_AT_ONCE = (KeyError, TypeError, ValueError)


class Unencodable(ValueError):
    """The document does not fit its contract."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a message or a document is refused: a code to count by and a sentence for people."""

    code: str
    reason: str


class Tombstone:
    """A message without a value: on a compacted topic it erases what has its key."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "TOMBSTONE"


TOMBSTONE = Tombstone()


class Decoded:
    """A document that was read, with its Avro body and the hash of its content.

    ``schema_id`` is that of the present contract, and ``body`` is of it: what was written with an
    earlier version is encoded anew. ``digest`` is the SHA-256 of the body without ``version``, so
    the same content has the same digest, whichever version it was written with. (A plain class,
    since a frozen dataclass takes a microsecond more to make.)
    """

    __slots__ = ("body", "digest", "document", "schema_id")

    def __init__(self, document: Document, schema_id: int, body: bytes, digest: bytes) -> None:
        self.document = document
        self.schema_id = schema_id
        self.body = body
        self.digest = digest

    def __repr__(self) -> str:
        return f"Decoded({self.schema_id}, {self.document!r})"


def encode(topic: Topic, document: Mapping[str, Any]) -> bytes:
    """Return the message for ``document``; see ``written``."""
    return written(topic, document)[0]


def written(topic: Topic, document: Mapping[str, Any]) -> tuple[bytes, Document]:
    """Return the message for ``document``, and the document as whoever reads the message has it.

    Fields that have a default may be missing; fields that the contract does not know may not be
    there.

    Raises:
        Unencodable: it does not fit the contract.
    """
    try:
        return topic.write(_head(topic), document)
    except _NOT_AT_ONCE:
        return _written_or_refused(topic, document)


def _written_or_refused(topic: Topic, document: Mapping[str, Any]) -> tuple[bytes, Document]:
    """The same by fastavro, which takes more (a tuple for a list), and says what does not fit."""
    out = BytesIO()
    out.write(_head(topic))
    try:
        schemaless_writer(out, topic.parsed, document, strict_allow_default=True)
        value = out.getvalue()
        # fastavro writes some values that it should refuse, for example a decimal of 39 digits.
        read, _, _ = topic.read(value, _HEAD)
    except Malformed as error:
        raise Unencodable(f"This is not {_a(topic.document)}: it has {error.reason}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise Unencodable(f"This is not {_a(topic.document)}: {error}") from error
    return value, read


def encode_body(topic: Topic, document: Mapping[str, Any]) -> bytes:
    """Return the Avro body alone; raise as ``encode`` does."""
    return encode(topic, document)[_HEAD:]


def message(schema_id: int, body: bytes) -> bytes:
    """Return the message whose Avro body is ``body``."""
    return b"\0" + schema_id.to_bytes(4, "big") + body


def content_digest(body: bytes) -> bytes:
    """Return the SHA-256 of an Avro body without its ``version``, which comes first."""
    start = 0
    while body[start] > 127:
        start += 1
    return sha256(body[start + 1 :]).digest()


def decode_batch(
    topic: Topic, values: Sequence[bytes | None]
) -> list[Decoded | Rejected | Tombstone]:
    """Read the messages of a batch of ``topic``; the results stand in the order of ``values``."""
    head = _head(topic)
    schema_id, read = topic.schema_id, topic.read
    new_hash = sha256().copy
    results: list[Decoded | Rejected | Tombstone] = []
    for value in values:
        if value is None:
            results.append(TOMBSTONE)
            continue
        if value[:_HEAD] != head:
            results.append(_decode_other(topic, value))
            continue
        try:
            document, after_version, end = read(value, _HEAD)
        except _UNREADABLE as error:
            results.append(_refuse_body(value, error))
            continue
        if end == len(value):
            content = new_hash()
            content.update(value[after_version:])
            results.append(Decoded(document, schema_id, value[_HEAD:], content.digest()))
        else:
            results.append(_refuse_end(value, end))
    return results


def _decode_other(topic: Topic, value: bytes) -> Decoded | Rejected:
    """Read a message that was not written with the present contract."""
    read = topic.read_earlier.get(_schema_id(value)) if value[:1] == b"\0" else None
    if read is None or len(value) < _HEAD:
        return _refuse_head(topic, value)
    try:
        document, _, end = read(value, _HEAD)
    except _UNREADABLE as error:
        return _refuse_body(value, error)
    if end != len(value):
        return _refuse_end(value, end)
    body = encode_body(topic, document)
    return Decoded(document, topic.schema_id, body, content_digest(body))


def _a(document: str) -> str:
    return f"{'an' if document[0] in 'aeiou' else 'a'} {document}"


def _head(topic: Topic) -> bytes:
    return message(topic.schema_id, b"")


def _schema_id(value: bytes) -> int:
    return int.from_bytes(value[1:_HEAD], "big")


def _truncated(value: bytes) -> Rejected:
    return Rejected("truncated", f"The message ends after {len(value)} bytes, within the document.")


def _refuse_head(topic: Topic, value: bytes) -> Rejected:
    if len(value) < _HEAD:
        return Rejected("truncated", f"The message has {len(value)} bytes, its head alone has 5.")
    if value[0] != 0:
        return Rejected("wrong_magic", f"The first byte is {value[0]}, not 0.")
    schema_id = _schema_id(value)
    other = by_schema_id(schema_id)
    if other is None:
        return Rejected("unknown_schema", f"No contract has the schema id {schema_id}.")
    return Rejected("wrong_topic", f"This is a {other.document} on {topic.name}.")


def _refuse_body(value: bytes, error: Exception) -> Rejected:
    if isinstance(error, Malformed):
        return Rejected("malformed", f"Byte {error.offset} holds {error.reason}.")
    if isinstance(error, UnicodeDecodeError):
        return Rejected("malformed", f"Text is not UTF-8: {error.reason}.")
    return _truncated(value)


def _refuse_end(value: bytes, end: int) -> Rejected:
    size = len(value)
    if end > size:
        return _truncated(value)
    left = f"{size - end} of {size} bytes are left over behind the document."
    return Rejected("left_over", left)
