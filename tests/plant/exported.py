"""What the exports of a plant say, read through its mappings alone: no hub, no truth."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import connectors.mapping
from connectors.dry_run import dry_run
from connectors.mapping.values import Draft
from tests.plant.plants import Plant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Exported:
    """One document as a system exported it; `changed_on` is the date of its change or its file."""

    source: str
    id: str
    document: str
    changed_on: date
    body: dict[str, Any]

    @property
    def key(self) -> str:
        """The document's `source|id`."""
        return f"{self.source}|{self.id}"


def read_exports(plant: Plant, sources: Collection[str] | None = None) -> dict[str, list[Exported]]:
    """Return the documents of all systems, or of some, by type, as often as they were exported.

    They stand in the order of the files; those made of several records behind the others.
    """
    settings = plant.settings
    found: dict[str, list[Exported]] = {}
    for source in settings.sources:
        if sources is not None and source.name not in sources:
            continue
        mapping = connectors.mapping.load_mapping(
            source.mapping, source.name, settings.company.zone
        )
        for one in _exported(source.name, dry_run(mapping, source.reads).drafts):
            found.setdefault(one.document, []).append(one)
    return found


def _exported(source: str, drafts: list[Draft]) -> Iterator[Exported]:
    for draft in drafts:
        changed = (_EPOCH + timedelta(microseconds=draft.changed)).date()
        yield Exported(source, draft.id, draft.document, changed, draft.body)


def newest(documents: Iterable[Exported]) -> dict[str, Exported]:
    """Return the last state of each document by `source|id`."""
    found: dict[str, Exported] = {}
    for one in documents:
        if one.key not in found or one.changed_on >= found[one.key].changed_on:
            found[one.key] = one
    return found
