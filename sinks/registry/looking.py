"""What a registry knows: subjects, their versions, schemas by id, and what may follow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine

from schemas.canonical import InvalidSchema
from schemas.compatibility import Incompatibility, Mode, incompatibilities
from schemas.versions import CONTRACT_MODE, ContractVersion, contracts
from sinks.registry import errors, levels
from sinks.registry.rows import Candidate, Stored, matching, stored

_LONGEST_SCHEMA = 1_000_000
_LATEST = ("latest", "-1")


class KnownSchemas:
    """The reading half of a registry; see ``Registry``."""

    def __init__(
        self, engine: Engine, own: Mapping[str, Sequence[ContractVersion]] | None = None
    ) -> None:
        self._engine = engine
        self._own = contracts() if own is None else own

    def subjects(
        self, prefix: str = "", *, deleted: bool = False, deleted_only: bool = False
    ) -> list[str]:
        """Return the subjects that have versions, sorted."""
        with self._engine.connect() as connection:
            found = stored(
                connection,
                "starts_with(v.subject, :prefix)",
                {"prefix": prefix},
                deleted=deleted or deleted_only,
            )
        alive = {one.subject for one in found if not one.deleted}
        names = {one.subject for one in found}
        return sorted(names - alive if deleted_only else names)

    def all_versions(self, prefix: str = "", *, deleted: bool = False) -> list[Stored]:
        """Return every version of every subject."""
        with self._engine.connect() as connection:
            condition = "starts_with(v.subject, :prefix)"
            return stored(connection, condition, {"prefix": prefix}, deleted=deleted)

    def versions(
        self, subject: str, *, deleted: bool = False, deleted_only: bool = False
    ) -> list[int]:
        """Return the numbers of a subject's versions, the oldest first."""
        with self._engine.connect() as connection:
            found = self._versions(connection, subject, deleted=deleted or deleted_only)
        return [one.version for one in found if one.deleted or not deleted_only]

    def version(self, subject: str, which: str, *, deleted: bool = False) -> Stored:
        """Return one version of a subject: a number, or ``latest``."""
        wanted = version_number(which)
        with self._engine.connect() as connection:
            return self._version(connection, subject, wanted, deleted=deleted)

    def schema(self, schema_id: int) -> str:
        """Return the text of the schema that has an id under any subject, hidden ones included."""
        return self.uses(schema_id, deleted=True)[0].schema

    def uses(self, schema_id: int, *, deleted: bool = False) -> list[Stored]:
        """Return the versions that are the schema of an id."""
        found: list[Stored] = []
        if 0 < schema_id < 1 << 31:
            with self._engine.connect() as connection:
                found = stored(connection, "v.schema_id = :id", {"id": schema_id}, deleted=True)
        if not found:
            raise errors.no_schema(schema_id)
        return [one for one in found if deleted or not one.deleted]

    def lookup(
        self, subject: str, schema: str, *, normalize: bool = False, deleted: bool = False
    ) -> Stored:
        """Return the version of a subject that has this schema."""
        candidate = read_candidate(schema, normalize)
        with self._engine.connect() as connection:
            self._versions(connection, subject, deleted=deleted)
            found = matching(connection, subject, candidate, normalize=normalize, deleted=deleted)
        if found is None:
            raise errors.no_schema()
        return found

    def check(
        self, subject: str, schema: str, which: str | None = None, *, normalize: bool = False
    ) -> tuple[Mode, tuple[Incompatibility, ...]]:
        """Return a subject's compatibility, and what keeps a schema from following under it.

        ``which`` compares with this version alone; a subject without versions takes any schema.
        """
        candidate = read_candidate(schema, normalize)
        with self._engine.connect() as connection:
            mode = self._level(connection, subject)
            if which is None:
                found = stored(connection, "v.subject = :subject", {"subject": subject})
            else:
                wanted = version_number(which)
                found = stored(connection, "v.subject = :subject", {"subject": subject})
                if found or wanted is not None:
                    found = [self._version(connection, subject, wanted)]
        return mode, between(mode, candidate, found)

    def _level(self, connection: Connection, subject: str) -> Mode:
        return CONTRACT_MODE if subject in self._own else levels.level(connection, subject)

    def _versions(self, connection: Connection, subject: str, *, deleted: bool) -> list[Stored]:
        found = stored(connection, "v.subject = :subject", {"subject": subject}, deleted=deleted)
        if not found:
            raise errors.no_subject(subject)
        return found

    def _version(
        self, connection: Connection, subject: str, wanted: int | None, *, deleted: bool = False
    ) -> Stored:
        found = self._versions(connection, subject, deleted=deleted)
        for one in found:
            if one.version == wanted:
                return one
        if wanted is not None:
            raise errors.no_version(wanted)
        return found[-1]


def read_candidate(schema: str, normalize: bool) -> Candidate:
    if len(schema) > _LONGEST_SCHEMA:
        raise errors.too_large(_LONGEST_SCHEMA)
    try:
        return Candidate.read(schema, normalize=normalize)
    except InvalidSchema as error:
        raise errors.invalid_schema(str(error)) from error


def between(
    mode: Mode, candidate: Candidate, found: Sequence[Stored]
) -> tuple[Incompatibility, ...]:
    return incompatibilities(mode, candidate.schema, [(one.version, one.schema) for one in found])


def version_number(which: str) -> int | None:
    """Return the number of a version as it stands in an address; None for the latest."""
    if which in _LATEST:
        return None
    if which.isascii() and which.isdigit() and 0 < int(which) < 1 << 31:
        return int(which)
    raise errors.invalid_version(which)
