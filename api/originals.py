"""Gives each event of a request as it was sent: its own bytes, and how these are read alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from api.media_types import BATCH, JSON, LINES, STRUCTURED
from connectors.pushed.records import entries

#: Bytes that are kept of an event; a document of more could not be published.
LONGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Original:
    """An event as it was sent, its ``body`` cut to what is kept; ``digest`` is of all ``size``
    bytes."""

    media_type: str
    body: bytes
    size: int
    digest: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing was cut off."""
        return self.size == len(self.body)


def originals(media_type: str, body: bytes, *, single: bool) -> Sequence[Original]:
    """The events of a body that was read, in their order.

    Args:
        media_type: of the body.
        body: of the request.
        single: whether it is one event.
    """
    if single:
        return [_original(media_type, body)]
    kind = STRUCTURED if media_type == BATCH else JSON
    return [_original(kind, one) for one in _each(media_type, body)]


def _each(media_type: str, body: bytes) -> Iterator[bytes]:
    if media_type in LINES:
        yield from (line for line in body.split(b"\n") if line.strip())
    else:
        found = entries(body)
        assert found is not None, "a list was read"
        yield from found


def _original(media_type: str, body: bytes) -> Original:
    return Original(media_type, body[:LONGEST], len(body), sha256(body).hexdigest())
