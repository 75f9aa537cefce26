"""``headrace show``: the standing questions, and the documents behind them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import (
    TABLE_ROWS,
    AsOfOption,
    ConfigOption,
    JsonOption,
    LimitOption,
    prepare,
)
from schemas.keys import reference_key

app = typer.Typer(no_args_is_help=True, help="Show customers, demand, receivables, documents.")


@app.command()
def customers(
    as_of: AsOfOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Who the customers are across all systems, with tier and revenue."""
    from ops.asking import ask_customers
    from ops.presenting.console import show
    from ops.presenting.views import customers_table
    from ops.stack import Stack

    settings = prepare(config)
    with Stack.database_only(settings) as url:
        answer = ask_customers(url, settings, as_of)
    show(answer, as_json, customers_table(answer))


@app.command()
def demand(
    as_of: AsOfOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """What orders and open opportunities ask of production, per product and month."""
    from ops.asking import ask_demand
    from ops.presenting.console import show
    from ops.presenting.views import demand_table
    from ops.stack import Stack

    settings = prepare(config)
    with Stack.database_only(settings) as url:
        answer = ask_demand(url, settings, as_of)
    show(answer, as_json, demand_table(answer))


@app.command()
def receivables(
    as_of: AsOfOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """What customers owe, by how long it is overdue."""
    from ops.asking import ask_receivables
    from ops.presenting.console import show
    from ops.presenting.views import receivables_table
    from ops.stack import Stack

    settings = prepare(config)
    with Stack.database_only(settings) as url:
        answer = ask_receivables(url, settings, as_of)
    show(answer, as_json, receivables_table(answer))


@app.command()
def documents(
    document: Annotated[
        str, typer.Argument(metavar="TYPE", help="customer, order, invoice, payment …")
    ],
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE|ID", help="Only this one; may be given several times."),
    ] = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """The newest version of each document of a type, as it came from its source."""
    from ops.asking import ask_documents
    from ops.presenting.console import err, show
    from ops.presenting.documents import documents_table
    from ops.presenting.layout import fields_table
    from ops.stack import Stack
    from sinks.tables import FACT_DOCUMENTS

    if document not in FACT_DOCUMENTS:
        err().print(f"headrace: no type {document!r}; there are {', '.join(FACT_DOCUMENTS)}")
        raise typer.Exit(MISUSED)
    settings = prepare(config)
    rows = limit or (None if as_json else TABLE_ROWS)
    with Stack.database_only(settings) as url:
        answer = ask_documents(url, document, rows, key)
    if key:
        _refuse_missing(document, key, answer["rows"])
        show(answer, as_json, *(fields_table(row) for row in answer["rows"]))
    else:
        show(answer, as_json, documents_table(answer))


def _refuse_missing(document: str, keys: list[str], rows: list[dict[str, Any]]) -> None:
    from ops.presenting.console import err

    missing = set(keys) - {reference_key(row) for row in rows}
    if missing:
        named = ", ".join(sorted(missing))
        err().print(f"headrace: no {document} {named}; a key is the source, '|' and the number")
        raise typer.Exit(FAILED)
