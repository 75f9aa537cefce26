"""Looks at each source: its mapping, whether it can be read, and when something last came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from connectors.errors import SourceError
from connectors.kinds import KINDS, reader_of
from connectors.mapping.loading import load_mapping
from connectors.mapping.problems import MappingError
from hub.settings import Settings
from hub.source_settings import Source
from ops.doctor.finding import Finding, failed, ok, unknown, warning


@runtime_checkable
class Probes(Protocol):
    """A reader that can ask its source for a little, to see whether it answers."""

    def probe(self) -> None:
        """Raises SourceError where it does not."""


def look_at_sources(
    settings: Settings, known: Mapping[str, Mapping[str, Any]] | None
) -> Iterator[Finding]:
    """Each source of the configuration.

    Args:
        settings: of the hub.
        known: by source what the database says of it (``newest``, ``silent``, ``paused_at``);
            None where it cannot be asked.
    """
    if not settings.sources:
        yield warning("sources", "none are configured", "add them to sources:")
    for source in settings.sources:
        finding = _look(source, settings)
        yield finding
        if finding.do:
            continue
        yield _newest(source, None if known is None else known.get(source.name, {}))


def _look(source: Source, settings: Settings) -> Finding:
    part = f"source {source.name}"
    try:
        mapping = load_mapping(source.mapping, source.name, settings.company.zone)
    except MappingError as error:
        return failed(part, str(error), f"mend the mapping; `headrace map {source.mapping}` checks")
    if source.kind not in KINDS:
        return ok(part, f"{source.reads}, profile {mapping.profile}")
    try:
        reader = reader_of(source, mapping)
        if isinstance(reader, Probes):
            reader.probe()
        else:
            reader.check()
    except SourceError as error:
        return failed(part, str(error), "mend the source, or its entry in sources:")
    return ok(part, f"{source.reads} can be read, profile {mapping.profile}")


def _newest(source: Source, known: Mapping[str, Any] | None) -> Finding:
    part = f"newest of {source.name}"
    if known is None:
        return unknown(part, "the database was not asked", "see database")
    if known.get("paused_at"):
        do = f"`headrace sources resume {source.name}` has it read again"
        return warning(part, f"paused since {known['paused_at']}", do)
    newest = known.get("newest")
    if newest is None:
        return warning(part, "nothing has come yet", "`headrace up` reads it; then look again")
    if known.get("silent"):
        return warning(
            part,
            f"{newest}; silent for longer than is usual",
            "see whether the source still exports, and whether its files or records arrive",
        )
    return ok(part, str(newest))
