"""Keeps events that were refused as dead letters, within bounds for each caller."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

import orjson

from api.authentication import Caller
from api.originals import Original
from api.problems import Problem, Refused
from connectors.letters import stage_of
from sinks.dead_letters import DeadLetter, Kept

#: What is kept of a caller before somebody has to look at it.
MOST = Kept(100_000, 512 * 1024 * 1024)
#: So long a count of what is kept is believed.
_BELIEVED_S = 10.0
_CALLER = "http:"
_ATTRIBUTE = "ce-"


@dataclass(frozen=True, slots=True)
class Sent:
    """The request that events came in: who sent it and when (µs since 1970), its name, the type of
    document that its address names, its media type, its CloudEvents headers and its body."""

    caller: Caller
    request: str
    arrived_at: int
    document: str | None
    media_type: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def stage(self) -> str:
        """The stage of the dead letters of its caller."""
        return stage_of(f"{_CALLER}{self.caller.name}")


def is_of_caller(source: str) -> bool:
    """Whether the stage ``connector:source`` is that of a caller; no source has such a name."""
    return source.startswith(_CALLER)


def letter_of(sent: Sent, index: int, refused: Refused, original: Original) -> DeadLetter:
    """The dead letter of an event.

    Args:
        sent: the request that it came in.
        index: of the event in it, from 0.
        refused: why.
        original: what was sent.
    """
    texts = {
        "form": "event",
        "media_type": original.media_type,
        "address": sent.document or "",
        "arrived_at": str(sent.arrived_at),
        **dict(sent.headers),
    }
    if sent.caller.sources is not None:
        texts["sources"] = orjson.dumps(sorted(sent.caller.sources)).decode()
    if not original.is_whole:
        texts["size"] = str(original.size)
    details = dict.fromkeys(fault.detail for fault in refused.faults) or {refused.detail: None}
    return DeadLetter(
        stage=sent.stage,
        code=refused.code,
        reason="; ".join(details),
        document=refused.document or sent.document,
        place=f"http:{sent.request}:{index}",
        value=original.body,
        headers=[(name, text.encode()) for name, text in texts.items()],
        # Two events may begin alike.
        part=None if original.is_whole else original.digest,
    )


def attributes_of(texts: dict[str, str]) -> dict[str, str]:
    """The CloudEvents headers among those of a letter."""
    return {name: text for name, text in texts.items() if name.startswith(_ATTRIBUTE)}


class KeptEvents:
    """Knows how much is kept of each caller, counted now and then; used by one thread.

    Args:
        most: of one caller.
        clock: gives seconds.
    """

    def __init__(self, most: Kept = MOST, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._clock = clock
        self._counted: dict[str, tuple[float, Kept]] = {}

    def problem(self, sent: Sent, count: Callable[[str], Kept]) -> Problem | None:
        """Why no more events of the caller can be kept, if that is so.

        Args:
            sent: a request of the caller.
            count: gives what is kept of a stage.
        """
        now = self._clock()
        at, kept = self._counted.get(sent.stage, (-math.inf, Kept(0, 0)))
        if now - at > _BELIEVED_S:
            kept = count(sent.stage)
            self._counted[sent.stage] = now, kept
        if kept.letters < self._most.letters and kept.size < self._most.size:
            return None
        detail = (
            f"{kept.letters} events of {sent.caller.name!r} were refused before and are kept, and"
            " no more can be: send what is right, or have the hub's operator look at"
            " `headrace dead-letters list`, and replay or close them"
        )
        return Problem(429, "too_many_refused", detail, retry_after=int(_BELIEVED_S))

    def note(self, letters: Iterable[DeadLetter]) -> None:
        """Add what was kept just now."""
        for one in letters:
            at, kept = self._counted.get(one.stage, (-math.inf, Kept(0, 0)))
            size = kept.size + len(one.value or b"")
            self._counted[one.stage] = at, Kept(kept.letters + 1, size)
