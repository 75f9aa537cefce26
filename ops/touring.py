"""A tour of a hub that has read a sample plant: numbers, and stories told with documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.presenting.console import Answer
from ops.presenting.documents import business_day, worth
from ops.presenting.layout import grouped
from schemas.keys import reference_key

#: A document as (type, ``source|id``).
Named = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Scene:
    """A document of a story, and what it tells."""

    document: str
    key: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Story:
    """Something that happened in the plant, in the order in which it is told."""

    kind: str
    title: str
    scenes: tuple[Scene, ...]


def read_stories(plant: Path) -> list[Story]:
    """Return the stories that a plant's truth tells (``truth/stories.jsonl`` of its folder)."""
    text = (plant / "truth" / "stories.jsonl").read_text(encoding="utf-8")
    return [_story(json.loads(line)) for line in text.splitlines()]


def _story(told: Mapping[str, Any]) -> Story:
    scenes = (Scene(one["type"], reference_key(one), one["sentence"]) for one in told["told"])
    return Story(told["kind"], told["title"], tuple(scenes))


def one_of_each(stories: Iterable[Story]) -> list[Story]:
    """Return the first story of each kind."""
    first: dict[str, Story] = {}
    for story in stories:
        first.setdefault(story.kind, story)
    return list(first.values())


def numbers_text(answers: Mapping[str, Answer], rejects: int) -> Text:
    """The answers in a few sentences; ``rejects`` records were broken on purpose."""
    status, owed = answers["status"], answers["receivables"]["total"]
    customers, currency = answers["customers"]["rows"], answers["receivables"]["currency"]
    documents = sum(one["count"] for one in status["documents"].values())
    joined = sum(len(row["members"]) > 1 for row in customers)
    records = status["documents"]["customer"]["count"]
    overdue = sum((Decimal(bucket["amount"]) for bucket in owed["buckets"]), Decimal(0))
    return Text(
        f"{documents:,} documents of {len(status['sources'])} systems stand in the database.\n"
        f"{records:,} customer records are {len(customers):,} customers to the hub;"
        f" {joined:,} of them are known in more than one place.\n"
        f"{grouped(owed['outstanding'])} {currency} are outstanding,"
        f" {overdue:,} {currency} of it overdue.\n"
        f"{rejects:,} records were broken on purpose; {status['dead_letters']:,} dead letters."
    )


def story_text(number: int, story: Story, found: Mapping[Named, Answer]) -> RenderableType:
    """One story, each scene with its document as the hub has it; ``found`` holds these."""
    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for scene in story.scenes:
        document = found.get((scene.document, scene.key))
        table.add_row(
            "" if document is None else _day(scene.document, document),
            Text(scene.document, style="dim"),
            scene.key,
            "not in the hub" if document is None else worth(document),
            scene.sentence,
        )
    return Group(Text(f"{number}. {story.title}", style="bold"), table, "")


def _day(document: str, found: Answer) -> str:
    return business_day(document, found) or found["occurred_at"][:10]


def documents_named(stories: Sequence[Story]) -> dict[str, list[str]]:
    """Return the keys of the documents that stories tell of, by type."""
    named: dict[str, list[str]] = {}
    for story in stories:
        for scene in story.scenes:
            named.setdefault(scene.document, []).append(scene.key)
    return named
