"""The registry that a hub uses: the one in its database, or the one that its settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from hub.settings import Settings
from ops.stack import Stack
from sinks.database import engine
from sinks.registry.registering import Registry


class AnyRegistry(Protocol):
    """What the commands ask of a registry; a refusal is raised."""

    @property
    def name(self) -> str:
        """Which one it is, for people."""

    def subjects(self) -> list[str]:
        """Return the subjects, sorted."""

    def newest(self, subject: str) -> tuple[int, int]:
        """Return number and schema id of the newest version of a subject."""

    def check(self, subject: str, schema: str) -> list[str]:
        """Return why a schema may not follow those of a subject."""

    def register(self, subject: str, schema: str) -> int:
        """Return the id of a schema under a subject, registered if need be."""


class OwnRegistry:
    """The registry in the hub's database."""

    name = "the hub's own registry"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def subjects(self) -> list[str]:
        return self._registry.subjects()

    def newest(self, subject: str) -> tuple[int, int]:
        found = self._registry.version(subject, "latest")
        return found.version, found.schema_id

    def check(self, subject: str, schema: str) -> list[str]:
        _, found = self._registry.check(subject, schema)
        return [str(one) for one in found]

    def register(self, subject: str, schema: str) -> int:
        return self._registry.register(subject, schema).schema_id


@contextmanager
def registry_of(settings: Settings) -> Iterator[AnyRegistry]:
    """Yield the registry of a hub; an embedded database that does not run is started for it."""
    if settings.registry is not None:
        from hub.registry import OutsideRegistry

        with OutsideRegistry(settings.registry) as outside:
            yield outside
        return
    with Stack.database_only(settings) as url:
        database = engine(url)
        try:
            yield OwnRegistry(Registry(database))
        finally:
            database.dispose()
