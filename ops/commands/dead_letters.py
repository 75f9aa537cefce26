"""``headrace dead-letters``: what was refused, why, and another try."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import TABLE_ROWS, ConfigOption, JsonOption, LimitOption, prepare

app = typer.Typer(
    no_args_is_help=True, help="List, show, replay and close records that were refused."
)


@app.command("list")
def list_all(
    replayed: Annotated[
        bool, typer.Option("--replayed", help="List those too that were replayed or closed.")
    ] = False,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List what was refused, the newest first."""
    from ops.answers import letters_answer
    from ops.letters import list_letters
    from ops.presenting.console import show
    from ops.presenting.letters import letters_table
    from ops.stack import Stack
    from sinks.database import engine

    settings = prepare(config)
    rows = limit or (None if as_json else TABLE_ROWS)
    with Stack.database_only(settings) as url:
        database = engine(url)
        answer = letters_answer(list_letters(database, replayed=replayed, limit=rows))
        database.dispose()
    show(answer, as_json, letters_table(answer))


@app.command("show")
def show_one(
    letter_id: Annotated[int, typer.Argument(metavar="ID")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one with its original bytes, headers, place and error."""
    from ops.answers import letter_answer
    from ops.letters import find_letter
    from ops.presenting.console import err, show
    from ops.presenting.layout import fields_table
    from ops.stack import Stack
    from sinks.database import engine

    settings = prepare(config)
    with Stack.database_only(settings) as url:
        database = engine(url)
        letter = find_letter(database, letter_id)
        database.dispose()
    if letter is None:
        err().print(f"headrace: there is no dead letter {letter_id}")
        raise typer.Exit(FAILED)
    answer = letter_answer(letter)
    show(answer, as_json, fields_table(answer))


@app.command("replay")
def replay(
    letter_ids: Annotated[list[int] | None, typer.Argument(metavar="[ID…]")] = None,
    every: Annotated[bool, typer.Option("--all", help="Replay all that are open.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Try refused records again, after what was wrong has been mended.

    The exit status is 1 where one of them is refused again, or is none to replay.
    """
    from ops.presenting.console import err, show
    from ops.presenting.letters import replay_table
    from ops.replaying import replay_answer, replay_letters

    if bool(letter_ids) == every:
        err().print("headrace: name the letters to replay, or give --all")
        raise typer.Exit(MISUSED)
    settings = prepare(config)
    replays = replay_letters(settings, None if every else letter_ids)
    answer = replay_answer(replays.outcomes)
    if as_json or answer["rows"] or not replays.absent:
        show(answer, as_json, replay_table(answer))
    for one in replays.absent:
        err().print(f"headrace: {one}")
    if answer["failed"] or replays.absent:
        raise typer.Exit(FAILED)


@app.command("close")
def close(
    letter_ids: Annotated[list[int] | None, typer.Argument(metavar="[ID…]")] = None,
    every: Annotated[bool, typer.Option("--all", help="Close all that are open.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Close letters without a replay: their records were mended at the source, or are not needed.

    They are kept, and no longer counted. The exit status is 1 where an id is none of an open one.
    """
    from ops.letters import close_letters, why_not_open
    from ops.presenting.console import err, show
    from ops.stack import Stack
    from sinks.database import engine

    if bool(letter_ids) == every:
        err().print("headrace: name the letters to close, or give --all")
        raise typer.Exit(MISUSED)
    settings = prepare(config)
    with Stack.database_only(settings) as url:
        database = engine(url)
        closed = close_letters(database, None if every else letter_ids)
        absent = [
            why_not_open(database, one) for one in sorted(set(letter_ids or ()) - set(closed))
        ]
        database.dispose()
    show({"closed": closed}, as_json, f"Closed {len(closed):,}")
    for one in absent:
        err().print(f"headrace: {one}")
    if absent:
        raise typer.Exit(FAILED)
