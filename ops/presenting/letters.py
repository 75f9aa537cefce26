"""Tables of dead letters, and of what became of those that were tried again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ops.presenting.console import Answer
from ops.presenting.layout import plain_table


def letters_summary(counts: Sequence[Answer]) -> RenderableType:
    """Dead letters by who refused them and why."""
    if not counts:
        return Text("No dead letters.")
    table = plain_table(
        f"Dead letters ({sum(one['count'] for one in counts):,})",
        [("refused by", ""), ("why", ""), ("document", "")],
        ["count"],
    )
    for one in counts:
        table.add_row(one["stage"], one["code"], one["document"] or "", f"{one['count']:,}")
    return table


def letters_table(answer: Answer) -> Table:
    """Dead letters, newest first."""
    table = plain_table(
        f"Dead letters ({len(answer['rows'])})",
        [("id", ""), ("refused by", ""), ("place", ""), ("why", ""), ("done", "dim")],
        [],
    )
    for row in answer["rows"]:
        table.add_row(
            str(row["id"]),
            row["stage"],
            row["place"] or "",
            row["reason"],
            _done(row),
        )
    return table


def _done(letter: Answer) -> str:
    for done in ("replayed", "closed"):
        if at := letter[f"{done}_at"]:
            return f"{done} {at}"
    return ""


def replay_table(answer: Answer) -> Table:
    """What became of each dead letter that was tried again."""
    table = plain_table(
        f"Replayed {answer['replayed']:,}, refused again {answer['failed']:,}",
        [("id", ""), ("", ""), ("why", "")],
        [],
    )
    for row in answer["rows"]:
        state = "replayed" if row["replayed"] else Text("refused", style="red")
        table.add_row(str(row["id"]), state, row["reason"] or "")
    return table
