"""Looks dead letters up for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, and_, func, select, update

from sinks.tables import dead_letters

_IS_OPEN = and_(dead_letters.c.replayed_at.is_(None), dead_letters.c.closed_at.is_(None))


def list_letters(engine: Engine, *, replayed: bool, limit: int | None) -> list[Mapping[str, Any]]:
    """Dead letters, the newest first, without their bytes.

    Args:
        engine: the database.
        replayed: whether to list those too that were replayed or closed.
        limit: at most so many.
    """
    columns = [one for one in dead_letters.c if one.name not in ("key", "value", "fingerprint")]
    query = select(*columns).order_by(dead_letters.c.id.desc()).limit(limit)
    if not replayed:
        query = query.where(_IS_OPEN)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def find_letter(engine: Engine, letter_id: int) -> Mapping[str, Any] | None:
    """The whole letter, or None."""
    with engine.connect() as connection:
        query = select(dead_letters).where(dead_letters.c.id == letter_id)
        row = connection.execute(query).mappings().one_or_none()
        return None if row is None else dict(row)


def open_letter_ids(engine: Engine) -> Sequence[int]:
    """The ids of all letters that were neither replayed nor closed, the oldest first."""
    letter = dead_letters.c
    with engine.connect() as connection:
        query = select(letter.id).where(_IS_OPEN).order_by(letter.id)
        return connection.execute(query).scalars().all()


def close_letters(engine: Engine, letter_ids: Sequence[int] | None) -> Sequence[int]:
    """Close letters that are open, all of them where None; return the ids of those closed."""
    letter = dead_letters.c
    closing = update(dead_letters).where(_IS_OPEN).values(closed_at=func.now()).returning(letter.id)
    if letter_ids is not None:
        closing = closing.where(letter.id.in_(letter_ids))
    with engine.begin() as connection:
        return sorted(connection.execute(closing).scalars())


def why_not_open(engine: Engine, letter_id: int) -> str:
    """Say of an id why no letter is open under it."""
    row = find_letter(engine, letter_id)
    if row is None:
        return f"there is no dead letter {letter_id}"
    done = "replayed" if row["closed_at"] is None else "closed"
    return f"dead letter {letter_id} was {done} already"
