"""Turns drafts into messages: encoded once, read back, and held against the business rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from connectors.mapping.values import Draft, Rejection, from_micros, shown
from schemas.catalogue import DOCUMENTS, Topic
from schemas.codec import Unencodable, written
from schemas.validation import violations
from sinks.source_rows import LONGEST_KEY_BYTES

_HEAD = 5
#: Stands in a message until the version is settled: one byte, since it is below 64.
_UNSETTLED = 1


@dataclass(slots=True)
class Encoded:
    """A draft that keeps its contract; ``digest`` is of its content without the version."""

    draft: Draft
    topic: Topic
    rest: bytes
    digest: bytes

    def message(self, version: int) -> bytes:
        """The whole message with this version."""
        head = b"\0" + self.topic.schema_id.to_bytes(4, "big")
        return head + _long(version) + self.rest


def encode_drafts(drafts: Sequence[Draft]) -> list[Encoded | Rejection]:
    """Encode and check drafts; the results stand in the order of ``drafts``."""
    results: list[Encoded | Rejection] = []
    for draft in drafts:
        topic = DOCUMENTS[draft.document]
        if is_too_long(draft.id):
            results.append(_rejection(draft, *key_too_long(draft.id), named=False))
            continue
        draft.body["version"] = _UNSETTLED
        try:
            message, read = written(topic, draft.body)
        except Unencodable as error:
            results.append(_rejection(draft, "not_the_contract", str(error)))
            continue
        refused = violations(draft.document, read, len(message) - _HEAD)
        if refused is not None:
            results.append(_rejection(draft, refused.code, refused.reason))
            continue
        if draft.precise and draft.changed + draft.step <= 0:
            reason = f"the change time {from_micros(draft.changed)} gives no version above 0"
            results.append(_rejection(draft, "version", reason))
            continue
        rest = message[_HEAD + 1 :]
        results.append(Encoded(draft, topic, rest, sha256(rest).digest()))
    return results


def is_too_long(key: str) -> bool:
    """Whether no index could hold this key."""
    # A character has at most four bytes: most keys need no encoding to know.
    return len(key) * 4 > LONGEST_KEY_BYTES and len(key.encode()) > LONGEST_KEY_BYTES


def key_too_long(key: str) -> tuple[str, str]:
    """Code and reason of the rejection of such a key."""
    reason = (
        f"the key {shown(key)} has {len(key.encode())} bytes, and at most {LONGEST_KEY_BYTES} can"
        " be kept: mend it in the source, or choose a shorter key in the mapping"
    )
    return "key_too_long", reason


def too_large(draft: Draft, size: int) -> Rejection:
    """The rejection of a document that the log does not take, with its size in bytes."""
    reason = (
        f"the document has {size} bytes, and Kafka takes a record of at most 1 MiB: shorten the"
        " record in its source, or map fewer of its fields"
    )
    return _rejection(draft, "too_large", reason)


def _rejection(draft: Draft, code: str, reason: str, *, named: bool = True) -> Rejection:
    text = f"{draft.id}: {reason}" if named else reason
    return Rejection(code, text, draft.place, draft.document, draft.row)


def _long(number: int) -> bytes:
    """Avro's encoding of a long: zigzag, seven bits to a byte, the lowest first."""
    rest = (number << 1) ^ (number >> 63)
    encoded = bytearray()
    while rest > 0x7F:
        encoded.append((rest & 0x7F) | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
