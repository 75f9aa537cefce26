"""Says to which trace a record belongs, as W3C Trace Context writes it (``traceparent``).

A pass over a source is a trace, or a request is, or the trace that the caller of a request gave is
gone on with; each batch that is published is a span of it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

# Version ff is forbidden, and ids of zeros are; what a later version adds is not passed on.
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-(?P<flags>[0-9a-f]{2})(?P<later>-.*)?"
)
_SAMPLED = "01"


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace: its id in 32 hexadecimal digits, and its flags in two."""

    id: str
    flags: str = _SAMPLED

    def span(self) -> bytes:
        """The value of the header ``traceparent`` of a new span in this trace."""
        return f"00-{self.id}-{_random_id(8)}-{self.flags}".encode()


def new_trace() -> Trace:
    """A trace that begins here."""
    return Trace(_random_id(16))


def trace_of(traceparent: str | None) -> Trace:
    """The caller's trace; a new one where the caller gives none, or none that can be read."""
    given = _TRACEPARENT.fullmatch((traceparent or "").strip())
    if given is None or (given["version"] == "00" and given["later"]):
        return new_trace()
    # Only the lowest bit has a meaning in the version that is passed on.
    return Trace(given["trace"], f"{int(given['flags'], 16) & 1:02x}")


def _random_id(size: int) -> str:
    while not any(drawn := os.urandom(size)):
        continue
    return drawn.hex()
