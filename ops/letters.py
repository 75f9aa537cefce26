"""Looks dead letters up for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, select

from sinks.tables import dead_letters


def list_letters(engine: Engine, *, replayed: bool, limit: int | None) -> list[Mapping[str, Any]]:
    """Dead letters, the newest first, without their bytes.

    Args:
        engine: the database.
        replayed: whether to list those too that were replayed.
        limit: at most so many.
    """
    columns = [one for one in dead_letters.c if one.name not in ("key", "value", "fingerprint")]
    query = select(*columns).order_by(dead_letters.c.id.desc()).limit(limit)
    if not replayed:
        query = query.where(dead_letters.c.replayed_at.is_(None))
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def find_letter(engine: Engine, letter_id: int) -> Mapping[str, Any] | None:
    """The whole letter, or None."""
    with engine.connect() as connection:
        query = select(dead_letters).where(dead_letters.c.id == letter_id)
        row = connection.execute(query).mappings().one_or_none()
        return None if row is None else dict(row)


def open_letter_ids(engine: Engine) -> Sequence[int]:
    """The ids of all letters that were not replayed, the oldest first."""
    letter = dead_letters.c
    with engine.connect() as connection:
        query = select(letter.id).where(letter.replayed_at.is_(None)).order_by(letter.id)
        return connection.execute(query).scalars().all()
