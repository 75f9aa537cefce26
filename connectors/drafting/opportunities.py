"""Drafts how an opportunity stands: its stage, and when it closes or was closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.drafting.columns import Column
from connectors.drafting.matching import fitting
from connectors.drafting.naming import likeness, vocabulary, without_document
from connectors.drafting.phrasing import Phrase, chosen, field_of, left_open, word
from connectors.drafting.sheet import Sheet
from connectors.mapping.contract import contract_of
from connectors.mapping.yaml_text import TODO

_ENDS = ("won", "lost")
#: How well a name must fit to be that of the day of an end.
_SURE = 0.9


def course_of(sheet: Sheet, found: Mapping[str, Column]) -> dict[str, Phrase]:
    """The fields that a single column does not fill as it stands.

    Args:
        sheet: of opportunities.
        found: the columns that fill the fields by their names.
    """
    status, step = _status_and_step(sheet, found)
    said = [one for one in (status, step) if one is not None]
    course = {} if status is None or step is None else {"stage": _either(sheet, status, step)}
    if "outcome" in found:
        course["outcome"] = _outcome(sheet, found["outcome"])
    return course | _closing(sheet, found, said)


def _status_and_step(
    sheet: Sheet, found: Mapping[str, Column]
) -> tuple[Column | None, Column | None]:
    """The column that says open, won or lost beside one of stages, and the one of stages."""
    others = {one.name for name, one in found.items() if name != "stage"}
    wanted = contract_of("opportunity")["stage"]
    named = [
        one
        for one in fitting("opportunity", "stage", wanted, sheet.columns)
        if one.name not in others
    ]
    outcome = [found["outcome"]] if "outcome" in found else []
    for status in sorted(filter(_says_ends_alone, [*named, *outcome]), key=_unknown):
        for step in named:
            if step is not status and (_ended(status) or not _ended(step)):
                return status, step
    return None, found.get("stage")


def _meaning(value: str) -> str | None:
    """The stage that a value says, empty for one that only says that there is no end yet."""
    words = vocabulary()
    return "" if words.is_undecided(value) else words.meaning("opportunity", "stage", value)


def _says_ends_alone(column: Column) -> bool:
    meanings = {_meaning(value) for value in column.distinct} - {None}
    return bool(meanings) and meanings <= {"", *_ENDS}


def _unknown(column: Column) -> float:
    """The part of a column's values of which nobody knows what they mean."""
    return sum(_meaning(value) is None for value in column.distinct) / len(column.distinct)


def _ended(column: Column) -> tuple[str, ...]:
    """The values that say an end."""
    return tuple(value for value in column.distinct if _meaning(value) in _ENDS)


def _either(sheet: Sheet, status: Column, step: Column) -> Phrase:
    """The stage: how it ended where the status says so, else the step."""
    steps = sheet.write("opportunity", "stage", contract_of("opportunity")["stage"], step)
    sheet.used.add(status.name)
    meant = {value: _meaning(value) for value in status.distinct}
    ends = chosen(status, meant, empty=True)
    made = Phrase(f"{{coalesce: [{ends.text}, {steps.text}]}}")
    if None in meant.values():
        made = made.adding(f"{field_of(status)}: won, lost, or null where {field_of(step)} says it")
    made = made.adding(steps.comment)
    return made.adding(f"won and lost by {field_of(status)}, else by {field_of(step)}")


def _outcome(sheet: Sheet, column: Column) -> Phrase:
    """How it ended; one that says of the open ones that they are open says nothing there."""
    wanted = contract_of("opportunity")["outcome"]
    words = vocabulary()
    meant = {
        value: "" if words.is_undecided(value) else words.meaning("opportunity", "outcome", value)
        for value in column.distinct
    }
    if "" not in meant.values():
        return sheet.write("opportunity", "outcome", wanted, column)
    sheet.used.add(column.name)
    made = chosen(column, meant, empty=True)
    return made.adding(f"allowed: {', '.join(wanted.allowed)}" if None in meant.values() else "")


def _closing(
    sheet: Sheet, found: Mapping[str, Column], said: Sequence[Column]
) -> dict[str, Phrase]:
    """What a column of close dates fills: open opportunities have one that is only expected.

    Args:
        sheet: of opportunities.
        found: the columns that fill the fields by their names.
        said: the columns that say whether one is won or lost.
    """
    column = found.get("closed_on")
    if column is None:
        return _days_of_ends(sheet)
    if not column.values:
        return {}
    ends = [(one, _ended(one)) for one in said]
    open_ones = [
        date
        for place, date in enumerate(column.cells)
        if not any(one.cells[place] in values for one, values in ends)
    ]
    if said and open_ones and not any(open_ones):
        return {}
    made = sheet.write("opportunity", "closed_on", contract_of("opportunity")["closed_on"], column)
    expected = {} if "expected_close_on" in found else {"expected_close_on": made}
    if made.text == TODO:
        return expected
    tests = [
        f"{{in: [{field_of(one)}, [{', '.join(map(word, values))}]]}}"
        for one, values in ends
        if values
    ]
    if not tests:
        return expected | {"closed_on": left_open(f"{made.text} where it is won or lost")}
    test = tests[0] if len(tests) == 1 else f"{{or: [{', '.join(tests)}]}}"
    only = Phrase(f"{{case: [{{if: {test}, then: {made.text}}}]}}", made.comment)
    return expected | {"closed_on": only}


def _days_of_ends(sheet: Sheet) -> dict[str, Phrase]:
    """When it was closed, where the days of winning and losing stand in columns of their own."""
    wanted = contract_of("opportunity")["closed_on"]
    days = [
        one
        for names in vocabulary().ended_on.values()
        for one in sheet.columns
        if likeness(without_document(one.name, "opportunity"), names) > _SURE
        and (one.days or one.instants)
    ]
    made = [sheet.write("opportunity", "closed_on", wanted, one) for one in days]
    if not made:
        return {}
    if len(made) == 1:
        return {"closed_on": made[0]}
    texts = ", ".join(one.text for one in made)
    comment = "; ".join(filter(None, (one.comment for one in made)))
    return {"closed_on": Phrase(f"{{coalesce: [{texts}]}}", comment)}
