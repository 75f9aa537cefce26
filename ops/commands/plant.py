"""``headrace plant``: makes a sample plant, or lets one grow by some days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.failures import MISUSED
from ops.commands.options import JsonOption, parse_date

if TYPE_CHECKING:
    from plant.generate import Generated


def plant(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where its files go. A plant that is there already grows.",
            show_default=False,
        ),
    ],
    customers: Annotated[int, typer.Option("--customers", metavar="N", min=1)] = 100,
    months: Annotated[int, typer.Option("--months", metavar="M", min=1)] = 24,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", help="Another seed, another plant.")
    ] = 1,
    until: Annotated[
        date | None,
        typer.Option(
            "--until",
            parser=parse_date,
            metavar="DATE",
            help="The last day to play; by default the last of all months.",
            show_default=False,
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="Fill this database (as SQLAlchemy names it) with the ERP's tables too; an empty"
            " one, or that of this plant.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a plant: the exports of its five systems, mappings for them, and the truth beside.

    The same numbers make the same bytes. With a later --until the files of an earlier one grow, so
    that a hub that follows them reads on.
    """
    from hub.money import use_exact_arithmetic
    from ops.presenting.console import err, show
    from ops.progress import DayLine
    from plant.generate import generate
    from plant.parameters import Parameters

    use_exact_arithmetic()
    try:
        parameters = Parameters.of(customers, months, seed, until)
    except ValueError as error:
        err().print(f"headrace: {error}", soft_wrap=True, markup=False)
        raise typer.Exit(MISUSED) from error
    with DayLine(err(), parameters.until) as line:
        made = generate(parameters, out, line, database)
    show(made.summary(), as_json, _told(made))


def _told(made: Generated) -> str:
    documents = sum(one["count"] for one in made.documents)
    told = (
        f"{made.rows:,} rows in {made.files:,} files of five systems until {made.until}, in"
        f" {made.seconds:.1f} s: {documents:,} documents, and {made.rejects:,} records that are"
        " broken on purpose."
    )
    if made.database_rows is not None:
        told += f"\n{made.database_rows:,} rows written to the database."
    return f"{told}\nNext:\n  cd {quote(str(made.folder))}\n  headrace up --until-idle"
