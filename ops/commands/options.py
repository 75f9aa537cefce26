"""Options that several commands share, and the settings that they lead to."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hub.settings import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration; by default headrace.yaml in the current folder.",
        show_default=False,
    ),
]
#: How many rows a table has where nobody says it.
TABLE_ROWS = 50
LimitOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help=f"At most so many; by default {TABLE_ROWS} in a table, all with --json.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Log what goes on, not only what goes wrong.")
]


def parse_date(text: str) -> date:
    """A date as it is written on the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date; write it as YYYY-MM-DD") from error


AsOfOption = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=parse_date,
        metavar="DATE",
        help="The business date to answer for; by default today's, or the one that is configured.",
        show_default=False,
    ),
]


def prepare(config: Path | None, *, verbose: bool = False, as_json: bool | None = None) -> Settings:
    """Set up logs on standard error and exact arithmetic, and load the settings.

    Args:
        config: the file named on the command line, if one was.
        verbose: log from INFO on instead of from WARNING on.
        as_json: logs as JSON; by default where standard error is no terminal.

    Raises:
        SettingsError: the configuration cannot be used.
    """
    from hub.settings import load_settings

    prepare_alone(verbose=verbose, as_json=as_json)
    return load_settings(config)


def prepare_alone(*, verbose: bool = False, as_json: bool | None = None) -> None:
    """Set up logs and exact arithmetic for a command that needs no settings; see ``prepare``."""
    from hub.log import configure_logging
    from hub.money import use_exact_arithmetic

    configure_logging("INFO" if verbose else "WARNING", as_json=as_json)
    use_exact_arithmetic()
