"""How far each part of a source was read, and setting that by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from connectors.database.positions import Scale, position_of_clock
from connectors.errors import SourceError
from connectors.mapping.model import SourceMapping
from connectors.mapping.rest_reads import Api
from hub.source_settings import Source
from ops.status import instant_text
from sinks import cursors
from sinks.database import connect

#: What a state holds for machines only.
_UNSHOWN = ("head", "last", "inode", "known")


def cursors_answer(url: str, source: Source) -> dict[str, Any]:
    """``sources cursor NAME --json``: by unit how far it was read."""
    with connect(url) as connection:
        found = cursors.cursors_of(connection, source.name)
        paused = cursors.paused_at(connection, source.name)
    return {
        "source": source.name,
        "paused_at": paused,
        "cursors": [
            {
                "unit": one.unit,
                "reached": reached(one.state),
                "state": dict(one.state),
                "updated_at": instant_text(one.updated_at),
            }
            for one in found
        ],
    }


def reached(state: Mapping[str, Any]) -> str:
    """A cursor's state in a few words."""
    if "offset" in state:
        return f"line {state.get('line', '?')}, byte {state['offset']:,}"
    if state.get("link"):
        return "the server's own mark"
    if state.get("changed") is not None:
        return str(state["changed"])
    shown = {key: value for key, value in state.items() if key not in _UNSHOWN}
    return json.dumps(shown, ensure_ascii=False, default=str)


def parse_settings(source: Source, given: Sequence[str]) -> dict[str, str]:
    """The wanted states by unit, as they are written on the command line.

    Raises:
        SourceError: one is not UNIT=STATE.
    """
    found = {}
    for text in given:
        unit, sign, state = text.rpartition("=") if "={" not in text else text.partition("={")
        if not sign or not unit or not state:
            raise SourceError(
                f"{text!r}: write UNIT=start, UNIT=2026-01-31T00:00:00Z or UNIT={{…}} (a state as"
                f" `headrace sources cursor {source.name} --json` shows it)"
            )
        found[unit] = "{" + state if sign == "={" else state
    return found


def set_cursors(
    url: str, source: Source, mapping: SourceMapping, wanted: Mapping[str, str]
) -> None:
    """Set these cursors, between two passes of whoever reads the source.

    An instant is set as the source writes it: in its own time, where that is what it writes.

    Raises:
        SourceError: a unit is not known, or a state cannot be used.
        SourceBusy: a pass goes on for longer than can be waited for.
    """
    with cursors.source_lock(url, source.name) as connection, connection.transaction():
        known = {one.unit: one.state for one in cursors.cursors_of(connection, source.name)}
        for unit in wanted:
            if unit not in known:
                units = ", ".join(known) or "none, since nothing was read yet"
                raise SourceError(f"{source.name} has no cursor {unit!r}; there are: {units}")
        _set(
            connection,
            source,
            {
                unit: _state(source, mapping, unit, known[unit], text)
                for unit, text in wanted.items()
            },
        )


def _set(
    connection: psycopg.Connection[Any],
    source: Source,
    states: Mapping[str, Mapping[str, Any] | None],
) -> None:
    forgotten = [unit for unit, state in states.items() if state is None]
    cursors.forget_cursors(connection, source.name, forgotten)
    kept = {unit: state for unit, state in states.items() if state is not None}
    cursors.save_cursors(connection, source.name, kept)


def _state(
    source: Source, mapping: SourceMapping, unit: str, known: Mapping[str, Any], text: str
) -> Mapping[str, Any] | None:
    """The state that is asked for; None for the beginning."""
    if text == "start":
        return None
    if text.startswith("{"):
        try:
            return dict(json.loads(text))
        except ValueError as error:
            raise SourceError(f"{unit}: {text!r} is no JSON ({error})") from error
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{unit}: {text!r} is neither 'start', an instant such as 2026-01-31T00:00:00Z"
        raise SourceError(f"{message}, nor a state as JSON") from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if source.kind == "rest":
        return {"changed": _as_asked(mapping, unit, at).isoformat(), "known": [], "link": None}
    if source.kind == "database" and "scale" in known:
        position = position_of_clock(Scale(*known["scale"]), at, mapping.zone)
        if position is not None:
            return {**known, "position": position, "floor": position}
    raise SourceError(f"{unit} is not read by change time: give 'start', or a state as JSON")


def _as_asked(mapping: SourceMapping, unit: str, at: datetime) -> datetime:
    """An instant as the API's records write it, which for Frappe is the site's own time."""
    stream = mapping.streams.get(unit)
    if stream is None or stream.read is None or stream.read.api != Api.FRAPPE:
        return at
    return at.astimezone(mapping.zone).replace(tzinfo=UTC)
