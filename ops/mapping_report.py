"""What ``headrace map`` says: as JSON, and as tables of the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from schemas.plain import to_plain

if TYPE_CHECKING:
    from connectors.dry_run import DryRun
    from connectors.mapping.model import SourceMapping
    from connectors.mapping.problems import MappingError
    from connectors.mapping.testing import TestResult
    from connectors.mapping.yaml_text import Written

_EXAMPLE = 40
_REJECTIONS = 20
#: Filled by the connector, and of no interest to who writes a mapping.
_SETTLED = ("version", "source", "id")


def sample_answer(mapping: SourceMapping, written: Written, run: DryRun) -> dict[str, Any]:
    """All that a dry run found, as JSON holds it."""
    from connectors.mapping.usage import never_set

    bodies: dict[str, list[Any]] = {event.document: [] for event in mapping.events}
    for draft in run.drafts:
        plain = to_plain(draft.body)
        plain.pop("version", None)
        bodies[draft.document].append(plain)
    return {
        "mapping": mapping.version,
        "read": run.read,
        "files": run.origins,
        "events": bodies,
        "rejections": [
            {
                "code": one.code,
                "reason": one.reason,
                "place": one.place,
                "document": one.document,
                "record": to_plain(dict(one.row)),
            }
            for one in run.rejections
        ],
        "never_used": [
            {
                "stream": one.stream,
                "field": one.name,
                "records": one.filled,
                "example": one.example,
            }
            for one in run.usage.never_used(written.document())
        ],
        "never_found": [
            {"stream": stream, "field": name} for stream, name in run.usage.never_found()
        ],
        "never_set": {
            document: [{"field": one.name, "mapped": one.mapped} for one in unset]
            for document, unset in never_set(mapping, run.drafts).items()
        },
    }


def sample_views(answer: Mapping[str, Any], limit: int) -> Iterator[Table | str]:
    """Tables of the first ``limit`` events of each type, and sentences on the rest."""
    for document, bodies in answer["events"].items():
        if bodies:
            yield _events_table(document, bodies, limit)
    if answer["rejections"]:
        yield _rejections_table(answer["rejections"])
    if answer["never_found"]:
        names = ", ".join(f"{one['stream']}.{one['field']}" for one in answer["never_found"])
        yield f"[bold]The mapping asks for, and no record has:[/] {escape(names)}"
    if answer["never_used"]:
        yield _unused_table(answer["never_used"])
    for document, unset in answer["never_set"].items():
        plain = [one["field"] for one in unset if not one["mapped"]]
        empty = [one["field"] for one in unset if one["mapped"]]
        if answer["events"][document] and plain:
            yield f"[bold]{document}: never set:[/] {', '.join(plain)}"
        if answer["events"][document] and empty:
            yield f"[bold]{document}: mapped, but empty in all:[/] {', '.join(empty)}"
    yield _counts(answer)


def _counts(answer: Mapping[str, Any]) -> str:
    made = ", ".join(_count(name, bodies) for name, bodies in answer["events"].items())
    several = "file" if len(answer["files"]) == 1 else "files"
    rejected = len(answer["rejections"])
    read = f"{answer['read']} records of {len(answer['files'])} {several}"
    return f"{read} became {made}; {rejected} rejected. Nothing was published."


def _count(document: str, bodies: Sequence[Mapping[str, Any]]) -> str:
    ids = len({body["id"] for body in bodies})
    several = f" (of {ids} ids)" if ids < len(bodies) else ""
    return f"{len(bodies)} {document}{several}"


def _events_table(document: str, bodies: Sequence[Mapping[str, Any]], limit: int) -> Table:
    # What comes later under one id stands.
    standing = list({body["id"]: body for body in bodies}.values())
    shown = standing[:limit]
    table = Table(
        title=f"{document} ({len(shown)} of {len(standing)})", box=box.SIMPLE, title_justify="left"
    )
    table.add_column("field", style="dim", no_wrap=True)
    for body in shown:
        table.add_column(escape(str(body["id"])), overflow="fold")
    names = dict.fromkeys(name for body in shown for name in body if name not in _SETTLED)
    for name in names:
        values = [body.get(name) for body in shown]
        if any(value not in (None, []) for value in values):
            table.add_row(name, *(escape(in_words(value)) for value in values))
    return table


def in_words(value: Any) -> str:
    """A value of a document in one cell: a reference by its id, an entry of a list in a line."""
    if value is None or value == []:
        return ""
    if isinstance(value, dict) and set(value) == {"source", "id"}:
        return str(value["id"])
    if isinstance(value, dict):
        parts = (f"{name} {in_words(each)}" for name, each in value.items() if each is not None)
        return ", ".join(parts)
    if isinstance(value, list):
        return "\n".join(in_words(each) for each in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _rejections_table(rejections: Sequence[Mapping[str, Any]]) -> Table:
    shown = rejections[:_REJECTIONS]
    table = Table(
        title=f"Rejections ({len(shown)} of {len(rejections)})",
        box=box.SIMPLE,
        title_justify="left",
    )
    for name in ("place", "document", "code", "reason"):
        table.add_column(name, overflow="fold")
    for one in shown:
        cells = (one["place"], one["document"] or "", one["code"], one["reason"])
        table.add_row(*map(escape, cells))
    codes = Counter(one["code"] for one in rejections)
    table.caption = ", ".join(f"{code}: {count}" for code, count in codes.most_common())
    return table


def _unused_table(unused: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Source fields never used", box=box.SIMPLE, title_justify="left")
    for name in ("stream", "field", "records with a value", "for example"):
        table.add_column(name, justify="right" if name.startswith("records") else "left")
    for one in unused:
        example = str(one["example"] or "")
        cut = example if len(example) <= _EXAMPLE else example[: _EXAMPLE - 1] + "…"
        table.add_row(escape(one["stream"]), escape(one["field"]), str(one["records"]), escape(cut))
    return table


def problem_lines(error: MappingError, pictured: bool) -> Iterator[str]:
    """What is wrong with a mapping, a line each; ``pictured`` adds the line itself and a caret."""
    for problem in error.problems:
        yield str(problem) if problem.spot is not None else f"{error.origin}: {problem}"
        if pictured and problem.spot is not None:
            yield from (f"    {line}" for line in problem.spot.picture.split("\n"))


def tests_answer(results: Sequence[TestResult]) -> dict[str, Any]:
    """What became of a mapping's tests, as JSON holds it."""
    return {
        "tests": [
            {"name": one.name, "passed": not one.differences, "differences": list(one.differences)}
            for one in results
        ]
    }


def tests_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """A line for each test, and one for each difference."""
    for one in answer["tests"]:
        yield f"{'passed' if one['passed'] else 'FAILED'}  {one['name']}"
        yield from (f"        {difference}" for difference in one["differences"])
    failed = sum(not one["passed"] for one in answer["tests"])
    yield f"{len(answer['tests'])} tests, {failed} failed."
