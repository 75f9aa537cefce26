"""Holds the head of a file against the columns that the mapping reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from connectors.mapping.problems import guessed

#: Of the dead letter of a file that is refused for them.
MISSING_COLUMNS = "missing_columns"


def lacking(needed: Collection[str], columns: Sequence[str]) -> str | None:
    """Why a file with these columns is not read; None where it has all that are needed.

    Args:
        needed: the columns that the mapping reads, without those that it calls optional.
        columns: of the file's head.
    """
    missing = sorted(set(needed) - set(columns))
    if not missing:
        return None
    spare = [column for column in columns if column not in needed]
    named = ", ".join(f"{column!r}{guessed(column, spare)}" for column in missing)
    what = "a column" if len(missing) == 1 else "columns"
    return (
        f"the file has not {what} that the mapping reads: {named}; export it with them, or name"
        " them under 'optional' of the stream, and replay this letter: the file is then read"
    )
