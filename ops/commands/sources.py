"""``headrace sources``: what is configured, how far it was read, and a read by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import ConfigOption, JsonOption, VerboseOption, prepare

app = typer.Typer(no_args_is_help=True, help="List the configured sources, and read them.")


@app.command("list")
def list_all(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the sources, when they were last read, and what waits for its other parts."""
    from ops.presenting import show, sources_table
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

    A hub that is up follows its sources by itself.
    """
    from ops.presenting import err, reports_table, show
    from ops.progress import CountLine
    from ops.running import check_configuration
    from ops.source_runs import as_answer, read_to_end
    from ops.stack import Stack

    settings = prepare(config, verbose=verbose)
    chosen = [source for source in settings.sources if name in (None, source.name)]
    if name is not None and not chosen:
        known = ", ".join(source.name for source in settings.sources) or "none"
        err().print(f"headrace: no source {name!r} in the configuration; there are: {known}")
        raise typer.Exit(MISUSED)
    check_configuration(settings, paths=False)
    with Stack(settings) as stack, CountLine(err()) as line:
        runs = read_to_end(chosen, settings, stack.addresses, line)
    answer = as_answer(runs)
    show(answer, as_json, reports_table(answer["sources"]))
    failed = [one for one in runs if one.error is not None]
    for one in failed:
        err().print(f"headrace: source {one.source}: {one.error}", soft_wrap=True, markup=False)
    if failed:
        raise typer.Exit(FAILED)
