"""The schema registry in the hub's database: what Confluent's does, and contracts that stay.

Whoever writes holds one advisory lock, so that a schema gets one id however many register it at
once. The hub's own contracts keep their ids, and change with a release of the hub alone.
"""

from __future__ import annotations

from sqlalchemy import Connection

from sinks.registry import errors, levels
from sinks.registry.governing import GovernedSchemas
from sinks.registry.looking import between, read_candidate, version_number
from sinks.registry.rows import (
    FIRST_FREE_ID,
    Candidate,
    Stored,
    add_version,
    id_for,
    keep_schema,
    matching,
    remove_versions,
    stored,
)

_LONGEST_SUBJECT = 255


class Registry(GovernedSchemas):
    """One registry; every method raises RegistryError where Confluent's would refuse.

    Args:
        engine: of the database with the registry's tables.
        own: the contracts that nobody may change or delete, by subject; by default the hub's.
    """

    def register(
        self,
        subject: str,
        schema: str,
        *,
        normalize: bool = False,
        schema_id: int | None = None,
        version: int | None = None,
    ) -> Stored:
        """Return the version of a subject that has this schema, made if there is none.

        ``schema_id`` and ``version`` are for a subject in the mode IMPORT.
        """
        _refuse_bad_name(subject)
        candidate = read_candidate(schema, normalize)
        with self._engine.connect() as connection:
            found = matching(connection, subject, candidate, normalize=normalize, deleted=False)
        if found is None or schema_id not in (None, found.schema_id):
            with self._writing() as connection:
                found = matching(connection, subject, candidate, normalize=normalize, deleted=False)
                if found is None or schema_id not in (None, found.schema_id):
                    found = self._added(connection, subject, candidate, schema_id, version)
        return found

    def delete_subject(self, subject: str, *, permanent: bool = False) -> list[int]:
        """Hide all versions of a subject, or remove those of one that is hidden."""
        with self._writing() as connection:
            self._refuse_own(subject)
            found = self._versions(connection, subject, deleted=True)
            alive = [one for one in found if not one.deleted]
            if not alive and not permanent:
                raise errors.subject_gone(subject)
            if alive and permanent:
                raise errors.subject_there(subject)
            removed = found if permanent else alive
            remove_versions(connection, removed, permanent=permanent)
            levels.forget(connection, subject)
        return [one.version for one in removed]

    def delete_version(self, subject: str, which: str, *, permanent: bool = False) -> int:
        """Hide a version of a subject, or remove one that is hidden."""
        wanted = version_number(which)
        with self._writing() as connection:
            self._refuse_own(subject)
            found = self._version(connection, subject, wanted, deleted=True)
            if found.deleted and not permanent:
                raise errors.version_gone(subject, found.version)
            if not found.deleted and permanent:
                raise errors.version_there(subject, found.version)
            remove_versions(connection, [found], permanent=permanent)
        return found.version

    def _added(
        self,
        connection: Connection,
        subject: str,
        candidate: Candidate,
        schema_id: int | None,
        version: int | None,
    ) -> Stored:
        mode = "READONLY" if subject in self._own else levels.mode(connection, subject)
        if schema_id is not None:
            self._refuse_import(subject, mode, schema_id)
            if version is not None:
                _refuse_taken(connection, subject, version)
            if not keep_schema(connection, schema_id, candidate):
                raise errors.not_permitted(
                    f"Overwrite new schema with id {schema_id} is not permitted."
                )
        else:
            compatibility = self._level(connection, subject)
            if mode != "IMPORT":
                before = stored(connection, "v.subject = :subject", {"subject": subject})
                found = between(compatibility, candidate, before)
                if found:
                    raise errors.incompatible(subject, found, compatibility)
            self._refuse_own(subject)
            if mode != "READWRITE":
                told = "read-only" if mode == "READONLY" else "import"
                raise errors.not_permitted(f"Subject {subject} is in {told} mode")
            schema_id, version = id_for(connection, candidate), None
        number = add_version(connection, subject, schema_id, version)
        return Stored(subject, number, schema_id, candidate.schema, deleted=False)

    def _refuse_import(self, subject: str, mode: str, schema_id: int) -> None:
        if mode != "IMPORT":
            raise errors.not_permitted(f"Subject {subject} is not in import mode")
        if self._own and schema_id < FIRST_FREE_ID:
            raise errors.not_permitted(
                f"Ids below {FIRST_FREE_ID} are those of the hub's contracts, and this is"
                f" {schema_id}"
            )


def _refuse_taken(connection: Connection, subject: str, version: int) -> None:
    condition, parameters = "v.subject = :subject", {"subject": subject}
    if any(
        one.version == version for one in stored(connection, condition, parameters, deleted=True)
    ):
        raise errors.not_permitted(f"Subject {subject} has a version {version} already")


def _refuse_bad_name(subject: str) -> None:
    reserved = subject in ("__GLOBAL", "__EMPTY")
    if reserved or not subject.isprintable() or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise errors.invalid_subject(subject)
