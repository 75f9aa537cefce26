"""How the schemas of a registry may change, and that those of the hub may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from schemas.compatibility import Mode
from schemas.versions import CONTRACT_MODE
from sinks.registry import errors, levels
from sinks.registry.looking import KnownSchemas

#: Names the advisory lock of those who write to the registry.
REGISTRY_LOCK = 7_206_505


class GovernedSchemas(KnownSchemas):
    """Compatibility and mode, of all subjects or of one; see ``Registry``."""

    def level(self, subject: str | None, *, inherited: bool = False) -> Mode:
        """Return the compatibility of all subjects, or of one that has its own."""
        with self._engine.connect() as connection:
            if subject is None:
                return levels.level(connection)
            if subject in self._own or inherited:
                return self._level(connection, subject)
            found = levels.own_level(connection, subject)
        if found is None:
            raise errors.no_level(subject)
        return found

    def set_level(self, subject: str | None, word: object) -> Mode:
        """Set the compatibility of all subjects, or of one."""
        chosen = levels.level_as_read(word)
        if subject in self._own and chosen is CONTRACT_MODE:
            return chosen
        with self._writing() as connection:
            self._refuse_own(subject)
            levels.set_level(connection, subject or levels.ALL, chosen)
        return chosen

    def drop_level(self, subject: str | None) -> Mode:
        """Leave the compatibility of a subject to that of all; returns what it was."""
        self._refuse_own(subject)
        before = self.level(subject)
        with self._writing() as connection:
            levels.set_level(connection, subject or levels.ALL, None)
        return before

    def mode(self, subject: str | None, *, inherited: bool = False) -> str:
        """Return the mode of all subjects, or of one that has its own."""
        if subject in self._own:
            return "READONLY"
        with self._engine.connect() as connection:
            if subject is None or inherited:
                return levels.mode(connection, subject or levels.ALL)
            found = levels.own_mode(connection, subject)
        if found is None:
            raise errors.no_mode(subject)
        return found

    def set_mode(self, subject: str | None, word: object, *, force: bool = False) -> str:
        """Set the mode of all subjects, or of one."""
        with self._writing() as connection:
            self._refuse_own(subject)
            return levels.set_mode(connection, subject or levels.ALL, word, force=force)

    def drop_mode(self, subject: str) -> str:
        """Leave the mode of a subject to that of all; returns what it was."""
        self._refuse_own(subject)
        before = self.mode(subject)
        with self._writing() as connection:
            levels.drop_mode(connection, subject)
        return before

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({REGISTRY_LOCK})"))
            yield connection

    def _refuse_own(self, subject: str | None) -> None:
        if subject is not None and subject in self._own:
            raise errors.of_the_hub(subject)
