"""What the exporters note for the truth: expected rejects, contradictions, and what stands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

EXISTS, DELETED, CANCELLED, CLOSED = 1, 2, 4, 8
"""What is known of a document that has left its system; CLOSED by another one that cancels it."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that the hub must refuse; ``file`` is named within the source's folder.

    ``waits`` says that its parts have not left the system by the last day: it is refused where
    the export is read as complete, and waited for where it is followed.
    """

    source: str
    file: str
    line: int
    what: str
    code: str
    document: str
    key: str
    waits: bool = False


@dataclass(slots=True)
class States:
    """What has left the systems whole, a byte for each document, by type and the world's key."""

    _bytes: dict[tuple[str, str], bytearray] = field(default_factory=dict)

    def get(self, system: str, document: str, key: int) -> int:
        """The state of a document; 0 where it has not left the system."""
        found = self._bytes.get((system, document))
        return found[key] if found is not None and key < len(found) else 0

    def note(self, system: str, document: str, key: int, state: int) -> None:
        """This is how the document stands now in what the system has exported."""
        found = self._bytes.setdefault((system, document), bytearray())
        if key >= len(found):
            found.extend(bytes(key + 1024 - len(found)))
        found[key] = state | (found[key] & CLOSED)

    def close(self, system: str, document: str, key: int) -> None:
        """Another document cancels this one, which may come later."""
        self.note(system, document, key, self.get(system, document, key) | CLOSED)

    def totals(self) -> list[dict[str, Any]]:
        """Per document type what the hub counts: all, those deleted, those cancelled."""
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for (_, document), states in sorted(self._bytes.items()):
            total = counts[document]
            for state in range(16):
                if state & EXISTS:
                    of_these = states.count(state)
                    total[0] += of_these
                    total[1] += of_these if state & DELETED else 0
                    total[2] += of_these if state & (CANCELLED | CLOSED) else 0
        return [
            {"type": document, "count": total[0], "deleted": total[1], "cancelled": total[2]}
            for document, total in sorted(counts.items())
            if total[0]
        ]


@dataclass(slots=True)
class Told:
    """All that the exporters note."""

    rejects: list[Reject] = field(default_factory=list)
    contradictions: list[dict[str, Any]] = field(default_factory=list)
    states: States = field(default_factory=States)
