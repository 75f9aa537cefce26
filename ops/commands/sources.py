"""``headrace sources``: what is configured, how far it was read, and work on it by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import (
    ConfigOption,
    JsonOption,
    VerboseOption,
    parse_date,
    prepare,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.settings import Settings
    from hub.source_settings import Source
    from sinks.cursors import Connection

app = typer.Typer(no_args_is_help=True, help="List the configured sources, and work on them.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The source's name.")]


@app.command("list")
def list_all(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the sources, when they were last read, and what waits for its other parts."""
    from ops.presenting.console import show
    from ops.presenting.sources import sources_table
    from ops.source_listing import list_sources
    from ops.stack import Stack
    from sinks.database import engine

    settings = prepare(config)
    with Stack.database_only(settings) as url:
        database = engine(url)
        answer = list_sources(database, settings.sources)
        database.dispose()
    show(answer, as_json, sources_table(answer))


@app.command("run")
def run(
    name: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Read sources to their ends, and publish what is new; the next `headrace up` processes it.

    A hub that is up follows its sources by itself. A source that is paused is passed over.
    """
    from ops.presenting.console import err, show
    from ops.presenting.sources import reports_table
    from ops.progress import SourceBars
    from ops.running import check_configuration
    from ops.source_runs import as_answer, read_to_end
    from ops.stack import Stack

    settings = prepare(config, verbose=verbose)
    chosen = list(settings.sources) if name is None else [_named(settings, name)]
    check_configuration(settings, paths=False)
    with Stack(settings) as stack, SourceBars(err()) as bars:
        runs = read_to_end(chosen, settings, stack.addresses, bars.show_run)
    answer = as_answer(runs)
    show(answer, as_json, reports_table(answer["sources"]))
    failed = [one for one in runs if one.error is not None]
    for one in failed:
        err().print(f"headrace: source {one.source}: {one.error}", soft_wrap=True, markup=False)
    for one in runs:
        if one.state == "paused":
            err().print(f"headrace: source {one.source} is paused", soft_wrap=True, markup=False)
    if failed or (name is not None and runs[0].state == "paused"):
        raise typer.Exit(FAILED)


@app.command("pause")
def pause(name: NameArgument, config: ConfigOption = None) -> None:
    """Leave a source alone until it is resumed; a hub that is up does so within seconds."""
    from sinks import cursors

    _note(name, config, cursors.pause, "is paused")


@app.command("resume")
def resume(name: NameArgument, config: ConfigOption = None) -> None:
    """Read a source again that was paused; it goes on where it was."""
    from sinks import cursors

    _note(name, config, cursors.resume, "is read again")


@app.command("cursor")
def cursor(
    name: NameArgument,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PART=STATE",
            help="Read PART on from STATE: start, an instant, or the JSON that --json shows.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Set without a question.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show how far each file, table or resource of a source was read, and set it.

    What is read again is found to be a repeat; what is passed over is not read.
    """
    from connectors.mapping.loading import load_mapping
    from ops.presenting.console import show
    from ops.presenting.sources import cursors_table
    from ops.source_cursors import cursors_answer, parse_settings, set_cursors
    from ops.stack import Stack

    settings = prepare(config)
    source = _named(settings, name)
    wanted = parse_settings(source, to or [])
    if wanted and not yes:
        for part, state in wanted.items():
            typer.echo(f"{part} is then read on from {state}.", err=True)
        typer.confirm("Set this?", abort=True, err=True)
    with Stack.database_only(settings) as url:
        if wanted:
            mapping = load_mapping(source.mapping, source.name, settings.company.zone)
            set_cursors(url, source, mapping, wanted)
        answer = cursors_answer(url, source)
    show(answer, as_json, cursors_table(answer))


@app.command("backfill")
def backfill(
    name: NameArgument,
    first: Annotated[
        date, typer.Option("--from", parser=parse_date, metavar="DATE", help="The first day.")
    ],
    last: Annotated[
        date, typer.Option("--to", parser=parse_date, metavar="DATE", help="The last day.")
    ],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read what a source has of a period again; the hub may be up meanwhile.

    Nothing newer is undone: versions decide, and where they cannot, what stands stays.
    """
    from dataclasses import asdict

    from ops.attaching import attached
    from ops.presenting.console import err, show
    from ops.presenting.sources import reports_table
    from ops.progress import SourceBars
    from ops.source_backfill import period_of, run_backfill

    settings = prepare(config)
    source = _named(settings, name)
    if last < first:
        raise typer.BadParameter(f"--to {last} lies before --from {first}")
    with attached(settings) as addresses, SourceBars(err()) as bars:
        period = period_of(settings, first, last)
        report = run_backfill(source, settings, addresses, period, bars.show_report)
    answer = {"from": first.isoformat(), "to": last.isoformat(), **asdict(report)}
    show(answer, as_json, reports_table([answer]))


@app.command("reconcile")
def reconcile(
    name: NameArgument,
    totals: Annotated[
        Path | None,
        typer.Option("--totals", metavar="FILE", help="CSV or YAML of totals, or of documents."),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option("--query", metavar="SQL", help="The same from a source's database."),
    ] = None,
    with_cancelled: Annotated[
        bool, typer.Option("--with-cancelled", help="Count cancelled documents too.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Compare what the hub holds of a source with what the source states, down to the document.

    The exit status is 1 where they differ.
    """
    from ops.presenting.console import show
    from ops.presenting.sources import reconciliation_tables
    from ops.source_reconcile import (
        as_answer,
        reconcile_source,
        rows_of_file,
        rows_of_query,
    )
    from ops.stack import Stack

    settings = prepare(config)
    source = _named(settings, name)
    if totals is not None and query is None:
        rows, where = rows_of_file(totals), str(totals)
    elif query is not None and totals is None:
        rows, where = rows_of_query(source, query), "the query"
    else:
        raise typer.BadParameter("give either --totals FILE or --query SQL")
    with Stack.database_only(settings) as url:
        found = reconcile_source(url, settings, source, rows, where, with_cancelled=with_cancelled)
    answer = as_answer(name, found)
    show(answer, as_json, *reconciliation_tables(answer))
    if not found.agrees:
        raise typer.Exit(FAILED)


def _named(settings: Settings, name: str) -> Source:
    from ops.presenting.console import err

    for source in settings.sources:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in settings.sources) or "none"
    err().print(f"headrace: no source {name!r} in the configuration; there are: {known}")
    raise typer.Exit(MISUSED)


def _note(
    name: str, config: Path | None, work: Callable[[Connection, str], None], done: str
) -> None:
    from ops.presenting.console import out
    from ops.stack import Stack
    from sinks.database import connect

    settings = prepare(config)
    _named(settings, name)
    with Stack.database_only(settings) as url, connect(url) as connection:
        work(connection, name)
    out().print(f"{name} {done}.")
