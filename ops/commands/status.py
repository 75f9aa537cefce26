"""``headrace status`` and ``headrace lag``: what the hub holds, and what is still to be done."""

from __future__ import annotations

from ops.commands.options import ConfigOption, JsonOption, prepare


def status(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show documents by type, dead letters, and how fresh sources and streams are."""
    from ops.asking import ask_status
    from ops.presenting.console import show
    from ops.presenting.status import status_tables
    from ops.stack import Stack

    settings = prepare(config)
    with Stack.database_only(settings) as url:
        answer = ask_status(url, settings, Stack.running_cluster(settings))
    show(answer, as_json, *status_tables(answer))


def lag(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show each topic's position against the end of its log, and changes not yet published."""
    from ops.answers import lag_answer
    from ops.lag import read_backlog, read_positions
    from ops.presenting.console import show
    from ops.presenting.status import lag_table
    from ops.stack import Stack
    from sinks.database import engine

    settings = prepare(config)
    with Stack.database_only(settings) as url:
        database = engine(url)
        cluster = Stack.running_cluster(settings)
        backlog = None if cluster is None else read_backlog(database, cluster)
        positions, depth = read_positions(database)
        database.dispose()
    answer = lag_answer(backlog, positions, depth)
    show(answer, as_json, lag_table(answer))
