"""Replays dead letters where each was refused: in the hub, or in the connector of its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, update

from api.refused_events import is_of_caller
from api.replaying import replay_event
from connectors.publish import PublishError
from connectors.running import ReplayError, replay_dead_letter
from hub.policy import load_policy
from hub.settings import Settings
from ops.attaching import attached
from ops.letters import find_letter, list_letters, open_letter_ids, why_not_open
from ops.stack import Addresses, Stack
from sinks.cursors import SourceBusy
from sinks.database import engine
from sinks.dead_letters import DeadLetter, read_headers
from sinks.tables import dead_letters
from streams.replay import Outcome, Replay

_CONNECTOR = "connector:"

#: A source that is followed is left alone between its passes; only a long pass keeps it.
_BUSY = "replay again when it has read what it is reading now"

_LETTERS_OF_A_REPLAY = 20


@dataclass(frozen=True, slots=True)
class Replays:
    """What became of each letter; ``absent`` says of ids that none is open under them."""

    outcomes: list[Outcome]
    absent: list[str]


def replay_letters(settings: Settings, letter_ids: Sequence[int] | None) -> Replays:
    """Replay letters in the order of their ids; all that are open where None.

    What a connector takes is published: the workers of the hub process it, now or when it is up.
    The hub may be up: a letter of a source is replayed between two passes of its connector.
    """
    policy = load_policy(settings.policy)
    with Stack.database_only(settings) as url:
        database = engine(url)
        open_ids = open_letter_ids(database)
        named = open_ids if letter_ids is None else sorted(set(letter_ids))
        wanted = sorted(set(named) & set(open_ids))
        absent = [why_not_open(database, one) for one in named if one not in set(wanted)]
        theirs = [one for one in wanted if _stage(database, one).startswith(_CONNECTOR)]
        database.dispose()
        outcomes = Replay(url, policy).run([one for one in wanted if one not in set(theirs)])
    if theirs:
        with attached(settings) as addresses:
            outcomes += _by_connectors(settings, addresses, theirs)
    return Replays(sorted(outcomes, key=lambda one: one.id), absent)


def replay_answer(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """``dead-letters replay --json``."""
    return {
        "replayed": sum(one.replayed for one in outcomes),
        "failed": sum(not one.replayed for one in outcomes),
        "rows": [
            {"id": one.id, "replayed": one.replayed, "reason": one.reason or None}
            for one in outcomes
        ],
    }


def _stage(database: Engine, letter_id: int) -> str:
    row = find_letter(database, letter_id)
    return "" if row is None else str(row["stage"])


def _by_connectors(
    settings: Settings, addresses: Addresses, letter_ids: Sequence[int]
) -> list[Outcome]:
    database = engine(addresses.database_url)
    try:
        return [_by_connector(settings, addresses, database, one) for one in letter_ids]
    finally:
        database.dispose()


def _by_connector(
    settings: Settings, addresses: Addresses, database: Engine, letter_id: int
) -> Outcome:
    row = find_letter(database, letter_id)
    if row is None or row["replayed_at"] is not None or row["closed_at"] is not None:
        return Outcome(letter_id, False, why_not_open(database, letter_id))
    names = ("stage", "code", "reason", "document", "place", "key", "value", "error", "mapping")
    letter = DeadLetter(
        **{one: row[one] for one in names},
        mapping_version=row["mapping_version"],
        headers=read_headers(row["headers"]),
    )
    try:
        why = _refused_again(settings, addresses, database, letter_id, letter)
    except ReplayError as error:
        why = str(error)
    except PublishError as error:
        why = f"{error}; replay it again"
    except SourceBusy as error:
        why = f"{error}; {_BUSY}"
    if why is not None:
        return Outcome(letter_id, False, why)
    with database.begin() as connection:
        replayed = update(dead_letters).where(dead_letters.c.id == letter_id)
        connection.execute(replayed.values(replayed_at=func.now()))
    return Outcome(letter_id, True, "")


def _refused_again(
    settings: Settings, addresses: Addresses, database: Engine, letter_id: int, letter: DeadLetter
) -> str | None:
    """Why its connector refuses it again, if it does."""
    name = letter.stage.removeprefix(_CONNECTOR)
    behind = settings, addresses.cluster, addresses.database_url
    if is_of_caller(name):
        return replay_event(letter_id, letter, *behind)
    source = next((one for one in settings.sources if one.name == name), None)
    if source is None:
        return f"the configuration has no source {name!r} any more"
    newest = max((one["id"] for one in _newest(database, 1)), default=0)
    report = replay_dead_letter(letter_id, letter, source, *behind)
    return _why_again(database, letter, newest) if report.rejected else None


def _why_again(database: Engine, letter: DeadLetter, newest: int) -> str:
    """The reason of this refusal: in a letter after ``newest``, or as it was before.

    The same refusal of the same record makes no second letter.
    """
    later = [
        one
        for one in _newest(database, _LETTERS_OF_A_REPLAY)
        if one["id"] > newest and one["stage"] == letter.stage
    ]
    if not later:
        return letter.reason
    return "; ".join(f"{one['reason']} (dead letter {one['id']})" for one in reversed(later))


def _newest(database: Engine, limit: int) -> list[Mapping[str, Any]]:
    return list_letters(database, replayed=True, limit=limit)
