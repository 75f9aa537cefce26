"""The rows of a registry: schemas by id, and the versions of each subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from sqlalchemy import Connection, text

from schemas.canonical import normal_text, read_json, same_text
from schemas.parsing import parse
from schemas.versions import ContractVersion

#: The ids below are the hub's own; so no schema of anybody else ever meets a contract.
FIRST_FREE_ID = 100_000

_STORED = (
    "SELECT v.subject, v.version, v.schema_id, s.schema, v.deleted"
    " FROM registry_versions v JOIN registry_schemas s ON s.id = v.schema_id"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a subject."""

    subject: str
    version: int
    schema_id: int
    schema: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schema that somebody brought, and what it is known by, as written and in normal form."""

    schema: str
    digest: bytes
    normal_digest: bytes

    @classmethod
    def read(cls, schema: str, *, normalize: bool = False) -> Self:
        """Return the schema; ``normalize`` keeps it in its normal form.

        Raises:
            InvalidSchema: it is none.
        """
        parse(schema)
        told = read_json(schema)
        normal = normal_text(told)
        kept = normal if normalize else same_text(told)
        return cls(kept, sha256(kept.encode()).digest(), sha256(normal.encode()).digest())


def stored(
    connection: Connection,
    condition: str,
    parameters: Mapping[str, Any],
    *,
    deleted: bool = False,
) -> list[Stored]:
    """Return the versions that fulfil a condition, by subject and number."""
    alive = "" if deleted else " AND NOT v.deleted"
    rows = connection.execute(
        text(f"{_STORED} WHERE ({condition}){alive} ORDER BY v.subject, v.version"), parameters
    )
    return [Stored(*row) for row in rows]


def matching(
    connection: Connection, subject: str, candidate: Candidate, *, normalize: bool, deleted: bool
) -> Stored | None:
    """Return the newest version of a subject that has this schema."""
    column = "normal_digest" if normalize else "digest"
    found = stored(
        connection,
        f"v.subject = :subject AND s.{column} = :digest",
        {"subject": subject, "digest": getattr(candidate, column)},
        deleted=deleted,
    )
    return found[-1] if found else None


def id_for(connection: Connection, candidate: Candidate) -> int:
    """Return the id of a schema: the one it has under another subject, or else a new one.

    Rows of schemas are never removed, so an id is never given twice.
    """
    found: int | None = connection.execute(
        text("SELECT min(id) FROM registry_schemas WHERE digest = :digest"),
        {"digest": candidate.digest},
    ).scalar()
    if found is not None:
        return found
    taken = "SELECT coalesce(max(id), :first - 1) + 1 FROM registry_schemas WHERE id >= :first"
    new: int = connection.execute(text(taken), {"first": FIRST_FREE_ID}).scalar_one()
    keep_schema(connection, new, candidate)
    return new


def keep_schema(connection: Connection, schema_id: int, candidate: Candidate) -> bool:
    """Keep a schema under an id; False if the id is another schema's."""
    found = connection.execute(
        text(
            "INSERT INTO registry_schemas (id, schema, digest, normal_digest)"
            " VALUES (:id, :schema, :digest, :normal_digest)"
            " ON CONFLICT (id) DO UPDATE SET id = excluded.id"
            " RETURNING digest"
        ),
        {
            "id": schema_id,
            "schema": candidate.schema,
            "digest": candidate.digest,
            "normal_digest": candidate.normal_digest,
        },
    ).scalar_one()
    return bytes(found) == candidate.digest


def add_version(
    connection: Connection, subject: str, schema_id: int, version: int | None = None
) -> int:
    """Add a version to a subject, by default the one after its newest; returns its number."""
    number: int = connection.execute(
        text(
            "INSERT INTO registry_versions (subject, version, schema_id)"
            " SELECT :subject, coalesce(:version, max(version) + 1, 1), :schema_id"
            " FROM registry_versions WHERE subject = :subject RETURNING version"
        ),
        {"subject": subject, "version": version, "schema_id": schema_id},
    ).scalar_one()
    return number


def remove_versions(connection: Connection, versions: Iterable[Stored], *, permanent: bool) -> None:
    """Hide versions, or take hidden ones out of their subjects; their schemas stay known."""
    change = (
        "DELETE FROM registry_versions"
        if permanent
        else "UPDATE registry_versions SET deleted = true"
    )
    for one in versions:
        connection.execute(
            text(f"{change} WHERE subject = :subject AND version = :version"),
            {"subject": one.subject, "version": one.version},
        )


def lay_in(connection: Connection, contracts: Mapping[str, Sequence[ContractVersion]]) -> None:
    """Bring the hub's contracts to what this release of the hub says, under their fixed ids."""
    for version in (version for versions in contracts.values() for version in versions):
        candidate = Candidate.read(version.text)
        connection.execute(
            text(
                "INSERT INTO registry_schemas (id, schema, digest, normal_digest)"
                " VALUES (:id, :schema, :digest, :normal_digest)"
                " ON CONFLICT (id) DO UPDATE SET schema = excluded.schema,"
                " digest = excluded.digest, normal_digest = excluded.normal_digest"
                " WHERE registry_schemas.digest <> excluded.digest"
            ),
            {
                "id": version.schema_id,
                "schema": version.text,
                "digest": candidate.digest,
                "normal_digest": candidate.normal_digest,
            },
        )
        connection.execute(
            text(
                "INSERT INTO registry_versions (subject, version, schema_id)"
                " VALUES (:subject, :number, :id) ON CONFLICT (subject, version) DO UPDATE"
                " SET schema_id = excluded.schema_id, deleted = false"
            ),
            {"subject": version.subject, "number": version.number, "id": version.schema_id},
        )
