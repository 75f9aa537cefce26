"""Chooses the key of records that nobody has mapped yet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from connectors.drafting.columns import Column
from connectors.drafting.naming import likeness, vocabulary
from connectors.drafting.phrasing import Phrase, field_of, left_open

#: Of so many columns each two are tried together.
_MOST_COLUMNS = 12
#: A column whose name fits so well is the key, even if it repeats.
_SURE = 0.9


def key_of_records(columns: Sequence[Column], document: str) -> tuple[Phrase, tuple[Column, ...]]:
    """The key of the records: the column called so, else one or two that never repeat.

    Returns:
        How it is written, and the columns that it is made of.
    """
    names = vocabulary().names_of(document, "id")
    named = [one for one in columns if likeness(one.name, names) > 0.5 and one.filled]
    named.sort(key=lambda one: likeness(one.name, names), reverse=True)
    surely = [one for one in named if likeness(one.name, names) > _SURE]
    plain = [
        one for one in columns if one.filled and not (one.days or one.instants or one.measures)
    ]
    for one in (*named, *([] if surely else plain)):
        if one.unique:
            return Phrase(field_of(one)), (one,)
    if named:
        best = named[0]
        comment = f"repeats: {len(best.distinct)} values in {best.records} records"
        comment = f"{comment}; the last one of a value stands"
        return Phrase(field_of(best), comment), (best,)
    filled = [one for one in columns if one.filled and not one.measures][:_MOST_COLUMNS]
    for one, other in combinations(filled, 2):
        if len(set(zip(one.values, other.values, strict=True))) == one.records:
            return Phrase(f"[{field_of(one)}, {field_of(other)}]"), (one, other)
    said = "no column has a value of its own in each record; a list such as [a, b]"
    return left_open(said), ()
