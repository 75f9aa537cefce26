"""Tables of the hub's state: status, lag, what the doctor found, and the registry's subjects."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ops.presenting.console import Answer
from ops.presenting.layout import plain_table
from ops.presenting.letters import letters_summary


def status_tables(answer: Answer) -> list[RenderableType]:
    """What ``status`` shows."""
    documents = plain_table("Documents", [("type", "")], ["count", "deleted", "cancelled"])
    for name, one in answer["documents"].items():
        documents.add_row(name, *(f"{one[part]:,}" for part in ("count", "deleted", "cancelled")))
    sources = plain_table("Sources", [("source", ""), ("newest event", ""), ("", "")], [])
    for one in answer["sources"]:
        sources.add_row(
            one["name"],
            one["newest"] or Text("nothing came", style="dim"),
            Text("silent", style="red") if one["silent"] else "",
        )
    known = all(one["behind"] is not None for one in answer["streams"])
    streams = plain_table(
        "Streams" if known else "Streams (Kafka does not run)",
        [("stream", ""), ("reads", "dim")],
        ["behind", "dead letters"],
    )
    for one in answer["streams"]:
        behind = "?" if one["behind"] is None else f"{one['behind']:,}"
        streams.add_row(
            one["name"], ", ".join(one["documents"]), behind, f"{one['dead_letters']:,}"
        )
    return [documents, letters_summary(answer["dead_letters_by_reason"]), sources, streams]


def lag_table(answer: Answer) -> Table:
    """Positions against the ends of the logs."""
    total = "Kafka does not run" if answer["total"] is None else f"{answer['total']:,} records"
    table = plain_table(
        f"Lag: {total}; {answer['outbox']:,} changes wait for the relay",
        [("topic", "")],
        ["partition", "position", "end", "lag", "worker"],
    )
    for row in answer["rows"]:
        named = ("partition", "position", "end", "lag", "worker")
        table.add_row(row["topic"], *("" if row[one] is None else f"{row[one]:,}" for one in named))
    return table


def findings_table(answer: Answer) -> Table:
    """What was found out about each part of the hub."""
    styles = {"ok": "green", "warning": "yellow", "failed": "bold red", "unknown": "dim"}
    columns = [("", ""), ("part", ""), ("found", ""), ("what to do", "bold")]
    table = plain_table("Doctor", columns, [])
    for one in answer["findings"]:
        state = Text(one["state"], style=styles[one["state"]])
        table.add_row(state, one["part"], Text(one["found"]), Text(one["do"]))
    return table


def schemas_table(answer: Answer) -> Table:
    """The subjects of a registry."""
    table = plain_table(
        f"Schemas ({len(answer['rows'])}, {answer['registry']})",
        [("subject", ""), ("", "dim")],
        ["version", "id"],
    )
    for row in answer["rows"]:
        told = "" if not row["contract"] else "released" if row["released"] else "contract"
        table.add_row(row["subject"], told, str(row["version"]), str(row["id"]))
    return table
