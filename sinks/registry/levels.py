"""How the schemas of a registry may change: compatibility and mode, of all subjects or of one."""

from __future__ import annotations

from sqlalchemy import Connection, text

from schemas.compatibility import Mode
from sinks.registry.errors import invalid_level, invalid_mode, not_permitted

#: What a subject may be: written to, only read, or filled with ids from elsewhere.
MODES = ("READWRITE", "READONLY", "IMPORT")
#: The subject that stands for all of them.
ALL = ""
_DEFAULT_LEVEL = Mode.BACKWARD
_DEFAULT_MODE = "READWRITE"


def level_as_read(word: object) -> Mode:
    """Return the compatibility that a caller named.

    Raises:
        RegistryError: there is none of this name.
    """
    try:
        return Mode(str(word).upper())
    except ValueError:
        raise invalid_level(word) from None


def own_level(connection: Connection, subject: str) -> Mode | None:
    """Return the compatibility that was set for this subject, if one was."""
    found = _setting(connection, subject, "compatibility")
    return None if found is None else Mode(found)


def level(connection: Connection, subject: str = ALL) -> Mode:
    """Return the compatibility that counts for a subject."""
    return own_level(connection, subject) or own_level(connection, ALL) or _DEFAULT_LEVEL


def own_mode(connection: Connection, subject: str) -> str | None:
    """Return the mode that was set for this subject, if one was."""
    return _setting(connection, subject, "mode")


def mode(connection: Connection, subject: str = ALL) -> str:
    """Return the mode that counts for a subject."""
    return own_mode(connection, subject) or own_mode(connection, ALL) or _DEFAULT_MODE


def set_level(connection: Connection, subject: str, chosen: Mode | None) -> None:
    """Set the compatibility of a subject, or leave it to that of all."""
    _set(connection, subject, "compatibility", chosen)


def set_mode(connection: Connection, subject: str, chosen: object, *, force: bool) -> str:
    """Set the mode of a subject; ids can be imported into an empty one only, unless forced.

    Raises:
        RegistryError: there is no such mode, or versions stand in the way.
    """
    word = str(chosen).upper()
    if word not in MODES:
        raise invalid_mode(chosen, MODES)
    if word == "IMPORT" and not force:
        filled = connection.execute(
            text(
                "SELECT 1 FROM registry_versions WHERE NOT deleted"
                " AND (:subject = '' OR subject = :subject) LIMIT 1"
            ),
            {"subject": subject},
        ).scalar()
        if filled:
            raise not_permitted(
                "Cannot import since found existing subjects: delete them, or use force=true"
            )
    _set(connection, subject, "mode", word)
    return word


def drop_mode(connection: Connection, subject: str) -> None:
    """Leave the mode of a subject to that of all."""
    _set(connection, subject, "mode", None)


def forget(connection: Connection, subject: str) -> None:
    """Drop what was set for a subject."""
    connection.execute(
        text("DELETE FROM registry_settings WHERE subject = :subject"), {"subject": subject}
    )


def _setting(connection: Connection, subject: str, column: str) -> str | None:
    found: str | None = connection.execute(
        text(f"SELECT {column} FROM registry_settings WHERE subject = :subject"),
        {"subject": subject},
    ).scalar()
    return found


def _set(connection: Connection, subject: str, column: str, value: str | None) -> None:
    connection.execute(
        text(
            f"INSERT INTO registry_settings (subject, {column}) VALUES (:subject, :value)"
            f" ON CONFLICT (subject) DO UPDATE SET {column} = excluded.{column}"
        ),
        {"subject": subject, "value": value},
    )
