"""What the tables of answers have in common: their columns, and how numbers are written."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from ops.presenting.console import Answer

_MEMBERS_SHOWN = 4


def plain_table(title: str, texts: Sequence[tuple[str, str]], numbers: Sequence[str]) -> Table:
    """A table without rows.

    Args:
        title: stands above it.
        texts: the headings and styles of the columns of text, which come first.
        numbers: the headings of the columns of numbers, which stand to the right.
    """
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
    )
    for heading, style in texts:
        table.add_column(heading, style=style, overflow="fold", min_width=min(12, len(heading)))
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def fields_table(answer: Answer) -> Table:
    """One thing with its fields below each other."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in answer.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        table.add_row(Text(name, style="dim"), Text("" if shown is None else str(shown)))
    return table


def grouped(number: str) -> str:
    """Thousands apart: 1234567.50 becomes 1,234,567.50."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, point, rest = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{rest}"


def members_in_words(members: Sequence[Answer]) -> str:
    """The records that are one customer; of many, the first ones."""
    names = [f"{one['source']} {one['id']}" for one in members]
    more = len(names) - _MEMBERS_SHOWN
    return ", ".join(names[:_MEMBERS_SHOWN]) + (f" and {more} more" if more > 0 else "")
