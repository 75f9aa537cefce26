"""Turns drafts into messages: encoded once, read back, and held against the business rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from connectors.mapping.values import Draft, Rejection, from_micros
from schemas.catalogue import DOCUMENTS, Topic
from schemas.codec import Decoded, Rejected, Unencodable, decode_batch, encode
from schemas.validation import violations

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
        draft.body["version"] = _UNSETTLED
        try:
            message = encode(topic, draft.body)
        except Unencodable as error:
            results.append(_rejection(draft, "not_the_contract", str(error)))
            continue
        (read,) = decode_batch(topic, [message])
        if not isinstance(read, Decoded):
            reason = read.reason if isinstance(read, Rejected) else "it has no value"
            results.append(_rejection(draft, "not_readable", reason))
            continue
        refused = violations(draft.document, read.document)
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


def _rejection(draft: Draft, code: str, reason: str) -> Rejection:
    return Rejection(code, f"{draft.id}: {reason}", draft.place, draft.document, draft.row)


def _long(number: int) -> bytes:
    """Avro's encoding of a long: zigzag, seven bits to a byte, the lowest first."""
    rest = (number << 1) ^ (number >> 63)
    encoded = bytearray()
    while rest > 0x7F:
        encoded.append((rest & 0x7F) | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
