"""The kinds of sources: each reads its configuration, and hands in portions behind cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from connectors.files.source import FilesReader
from connectors.mapping.model import SourceMapping
from connectors.portions import Broken, Origin, Portion
from hub.source_settings import DatabaseSource, FilesSource, RestSource, Source


class Reader(Protocol):
    """Reads one source of the configuration."""

    def check(self) -> None:
        """Look whether there is something to read, before anything is started.

        Raises:
            SourceError: there is not; the message says what to do.
        """

    def portions(self, states: Mapping[str, Mapping[str, Any]], final: bool) -> Iterator[Portion]:
        """What is new behind the cursors.

        Args:
            states: of the cursors, by the names of their origins.
            final: whether the source is as long as it will be.

        Raises:
            SourceError: it cannot be read now; what was handed in before stays.
        """

    def again(self, origin: Origin, broken: Broken) -> Portion:
        """Read the bytes of a dead letter again, by the texts that its origin left in it."""


def _files(source: Source, mapping: SourceMapping) -> Reader:
    assert isinstance(source, FilesSource)
    return FilesReader(source.path, mapping, source.name, source.most_inflated)


def _rest(source: Source, mapping: SourceMapping) -> Reader:
    # Only who asks an API waits for the import of its client.
    from connectors.rest.source import RestReader

    assert isinstance(source, RestSource)
    return RestReader(source, mapping)


def _http(source: Source, mapping: SourceMapping) -> Reader:
    from connectors.pushed.records import PushedReader

    return PushedReader()


def _database(source: Source, mapping: SourceMapping) -> Reader:
    # SQLAlchemy takes a while to import: not where a hub reads files alone.
    from connectors.database.source import DatabaseReader

    assert isinstance(source, DatabaseSource)
    return DatabaseReader(source, mapping)


#: By ``kind`` in the configuration.
KINDS: Mapping[str, Callable[[Source, SourceMapping], Reader]] = {
    "files": _files,
    "database": _database,
    "rest": _rest,
    "http": _http,
}


def reader_of(source: Source, mapping: SourceMapping) -> Reader:
    """The reader of a source of the configuration."""
    return KINDS[source.kind](source, mapping)
