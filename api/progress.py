"""Writes down what became of the events of a request that is taken in shares, and reads it back."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from api.answers import Fate
from api.problems import Refused
from connectors.mapping.values import Rejection
from connectors.pushed.settling import Pushed, Verdict


def written(handed: Sequence[Pushed | Refused], fates: Sequence[Fate]) -> bytes:
    """A line for each event: its version and whether that was known, or why the log cannot take it;
    nothing of one that could not be read, since that is found again."""
    lines = [
        None if isinstance(one, Refused) else _plain(fate)
        for one, fate in zip(handed, fates, strict=True)
    ]
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def read(taken: bytes, handed: Sequence[Pushed | Refused]) -> list[Fate]:
    """The fates of the first events, as far as these can still be read as they were.

    Args:
        taken: as ``written``, share behind share.
        handed: all events of the request.
    """
    fates: list[Fate] = []
    for one, line in zip(handed, taken.splitlines(), strict=False):
        plain = orjson.loads(line)
        if isinstance(one, Refused) != (plain is None):
            # Another release of the hub has other rules.
            break
        fates.append(one if isinstance(one, Refused) else _fate(one, *plain))
    return fates


def _plain(fate: Fate) -> tuple[int | str, bool | str]:
    if isinstance(fate, Verdict):
        return fate.version, fate.repeated
    return fate.code, fate.reason if isinstance(fate, Rejection) else fate.detail


def _fate(one: Pushed, first: int | str, second: bool | str) -> Fate:
    if isinstance(first, int):
        return Verdict(first, bool(second))
    return Refused(first, str(second), (), one.draft.id, one.draft.document)
