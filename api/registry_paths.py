"""The paths of the schema registry: each one a line or two between a request and the registry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from api.registry_bodies import Posted, of_version, posted_config, posted_mode, posted_schema
from schemas.compatibility import Mode
from sinks.registry.errors import details
from sinks.registry.registering import Registry

_NO_NUL = r"^[^\x00]*$"

Subject = Annotated[str, Path(max_length=1_000, pattern=_NO_NUL)]
Prefix = Annotated[str, Query(alias="subjectPrefix", pattern=_NO_NUL)]
Flag = Annotated[bool, Query()]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which of the things that are found are told, of deleted ones too if ``deleted``."""

    deleted: Flag = False
    offset: Annotated[int, Query(ge=0)] = 0
    #: Below 0 all of them.
    limit: Annotated[int, Query()] = -1

    def of(self, found: list[Any]) -> list[Any]:
        """The part that was asked for."""
        if self.limit < 0:
            return found[self.offset :]
        return found[self.offset : self.offset + self.limit]


Listed = Annotated[Listing, Depends()]


def add_schemas(router: APIRouter, registry: Registry) -> None:
    """Schemas by their ids."""

    @router.get("/schemas/types")
    def types() -> Any:
        return ["AVRO"]

    @router.get("/schemas")
    def all_schemas(
        listing: Listed,
        subject_prefix: Prefix = "",
        latest_only: Annotated[bool, Query(alias="latestOnly")] = False,
    ) -> Any:
        found = registry.all_versions(subject_prefix, deleted=listing.deleted)
        if latest_only:
            found = list({one.subject: one for one in found}.values())
        return listing.of([of_version(one) for one in found])

    @router.get("/schemas/ids/{schema_id}")
    def schema(schema_id: int) -> Any:
        return {"schema": registry.schema(schema_id)}

    @router.get("/schemas/ids/{schema_id}/schema")
    def schema_alone(schema_id: int) -> Any:
        return json.loads(registry.schema(schema_id))

    @router.get("/schemas/ids/{schema_id}/subjects")
    def subjects_of(
        schema_id: int,
        listing: Listed,
        subject: str | None = None,
    ) -> Any:
        found = registry.uses(schema_id, deleted=listing.deleted)
        names = {one.subject for one in found if subject in (None, one.subject)}
        return listing.of(sorted(names))

    @router.get("/schemas/ids/{schema_id}/versions")
    def versions_of(
        schema_id: int,
        listing: Listed,
        subject: str | None = None,
    ) -> Any:
        found = [
            {"subject": one.subject, "version": one.version}
            for one in registry.uses(schema_id, deleted=listing.deleted)
            if subject in (None, one.subject)
        ]
        return listing.of(found)


def add_subjects(router: APIRouter, registry: Registry) -> None:
    """Subjects and their versions."""

    @router.get("/subjects")
    def subjects(
        listing: Listed,
        subject_prefix: Prefix = "",
        deleted_only: Annotated[bool, Query(alias="deletedOnly")] = False,
    ) -> Any:
        found = registry.subjects(
            subject_prefix, deleted=listing.deleted, deleted_only=deleted_only
        )
        return listing.of(found)

    @router.post("/subjects/{subject}")
    def lookup(
        subject: Subject,
        posted: Annotated[Posted, Depends(posted_schema)],
        normalize: Flag = False,
        deleted: Flag = False,
    ) -> Any:
        found = registry.lookup(subject, posted.schema, normalize=normalize, deleted=deleted)
        return of_version(found)

    @router.delete("/subjects/{subject}")
    def delete_subject(subject: Subject, permanent: Flag = False) -> Any:
        return registry.delete_subject(subject, permanent=permanent)

    @router.get("/subjects/{subject}/versions")
    def versions(
        subject: Subject,
        listing: Listed,
        deleted_only: Annotated[bool, Query(alias="deletedOnly")] = False,
    ) -> Any:
        found = registry.versions(subject, deleted=listing.deleted, deleted_only=deleted_only)
        return listing.of(found)

    @router.post("/subjects/{subject}/versions")
    def register(
        subject: Subject,
        posted: Annotated[Posted, Depends(posted_schema)],
        normalize: Flag = False,
    ) -> Any:
        registered = registry.register(
            subject,
            posted.schema,
            normalize=normalize,
            schema_id=posted.schema_id,
            version=posted.version,
        )
        return {"id": registered.schema_id}

    @router.get("/subjects/{subject}/versions/{version}")
    def version(subject: Subject, version: str, deleted: Flag = False) -> Any:
        return of_version(registry.version(subject, version, deleted=deleted))

    @router.get("/subjects/{subject}/versions/{version}/schema")
    def version_alone(subject: Subject, version: str, deleted: Flag = False) -> Any:
        return json.loads(registry.version(subject, version, deleted=deleted).schema)

    @router.get("/subjects/{subject}/versions/{version}/referencedby")
    def referenced_by(subject: Subject, version: str) -> Any:
        registry.version(subject, version, deleted=True)
        return []

    @router.delete("/subjects/{subject}/versions/{version}")
    def delete_version(subject: Subject, version: str, permanent: Flag = False) -> Any:
        return registry.delete_version(subject, version, permanent=permanent)


def add_compatibility(router: APIRouter, registry: Registry) -> None:
    """Whether a schema may follow."""

    def answer(subject: str, posted: Posted, which: str | None, normal: bool, told: bool) -> Any:
        mode, found = registry.check(subject, posted.schema, which, normalize=normal)
        messages = {"messages": details(found, mode)} if told else {}
        return {"is_compatible": not found, **messages}

    @router.post("/compatibility/subjects/{subject}/versions")
    def with_all(
        subject: Subject,
        posted: Annotated[Posted, Depends(posted_schema)],
        normalize: Flag = False,
        verbose: Flag = False,
    ) -> Any:
        return answer(subject, posted, None, normalize, verbose)

    @router.post("/compatibility/subjects/{subject}/versions/{version}")
    def with_version(
        subject: Subject,
        version: str,
        posted: Annotated[Posted, Depends(posted_schema)],
        normalize: Flag = False,
        verbose: Flag = False,
    ) -> Any:
        return answer(subject, posted, version, normalize, verbose)


def add_settings(router: APIRouter, registry: Registry) -> None:
    """Compatibility and mode, of all subjects or of one."""

    def level(mode: Mode) -> Any:
        return {"compatibilityLevel": mode}

    @router.get("/config")
    def config() -> Any:
        return level(registry.level(None))

    @router.put("/config")
    def set_config(word: Annotated[Any, Depends(posted_config)]) -> Any:
        return {"compatibility": registry.set_level(None, word)}

    @router.delete("/config")
    def drop_config() -> Any:
        return level(registry.drop_level(None))

    @router.get("/config/{subject}")
    def subject_config(
        subject: Subject,
        default_to_global: Annotated[bool, Query(alias="defaultToGlobal")] = False,
    ) -> Any:
        return level(registry.level(subject, inherited=default_to_global))

    @router.put("/config/{subject}")
    def set_subject_config(subject: Subject, word: Annotated[Any, Depends(posted_config)]) -> Any:
        return {"compatibility": registry.set_level(subject, word)}

    @router.delete("/config/{subject}")
    def drop_subject_config(subject: Subject) -> Any:
        return level(registry.drop_level(subject))

    @router.get("/mode")
    def mode() -> Any:
        return {"mode": registry.mode(None)}

    @router.put("/mode")
    def set_mode(word: Annotated[Any, Depends(posted_mode)], force: Flag = False) -> Any:
        return {"mode": registry.set_mode(None, word, force=force)}

    @router.get("/mode/{subject}")
    def subject_mode(
        subject: Subject,
        default_to_global: Annotated[bool, Query(alias="defaultToGlobal")] = False,
    ) -> Any:
        return {"mode": registry.mode(subject, inherited=default_to_global)}

    @router.put("/mode/{subject}")
    def set_subject_mode(
        subject: Subject, word: Annotated[Any, Depends(posted_mode)], force: Flag = False
    ) -> Any:
        return {"mode": registry.set_mode(subject, word, force=force)}

    @router.delete("/mode/{subject}")
    def drop_subject_mode(subject: Subject) -> Any:
        return {"mode": registry.drop_mode(subject)}
