"""``headrace up``: the hub runs until it is stopped, or until everything is processed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.failures import FAILED
from ops.commands.options import ConfigOption, VerboseOption, prepare
from ops.commands.stopping import stop_on_sigterm, stopping_told

if TYPE_CHECKING:
    from rich.console import Console

    from ops.running import Hub, Outcome


def up(
    until_idle: Annotated[
        bool,
        typer.Option("--until-idle", help="Read all sources to their ends, process them, and end."),
    ] = False,
    config: ConfigOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Start the hub: database, broker, workers, relay and connectors.

    Without --until-idle it runs until Ctrl-C. With it the exit status is 0 where everything was
    processed (dead letters are, and are counted), 1 where something was left.
    """
    from ops.presenting.console import err, out
    from ops.running import Hub, check_configuration

    settings = prepare(config, verbose=verbose)
    check_configuration(settings, paths=until_idle)
    stop_on_sigterm()
    with stopping_told(), Hub(settings, config) as hub:
        tell_where(hub, out())
        if until_idle:
            outcome = run_until_idle(hub, err())
            tell_outcome(outcome, out())
            problems = outcome.problems
        else:
            out().print(f"The hub of {settings.company.name} is up. Ctrl-C stops it.")
            problems = tuple(hub.follow())
    tell_problems(problems)
    if problems:
        raise typer.Exit(FAILED)


def tell_where(hub: Hub, console: Console) -> None:
    """Print the addresses of the hub's servers."""
    for name, address in hub.where():
        console.print(f"{name:<11} {address}", soft_wrap=True)


def run_until_idle(hub: Hub, console: Console) -> Outcome:
    """Process everything, with the progress shown on ``console``."""
    from ops.progress import ProgressDisplay

    with ProgressDisplay(console) as display:
        return hub.until_idle(display)


def tell_outcome(outcome: Outcome, console: Console) -> None:
    """Print what a bounded run did."""
    from ops.presenting.documents import run_table
    from ops.presenting.letters import letters_summary
    from ops.presenting.sources import reports_table

    console.print(reports_table(outcome.sources))
    console.print(run_table(outcome.before.documents, outcome.after.documents))
    console.print(
        letters_summary(
            [
                {
                    "stage": one.stage,
                    "code": one.code,
                    "document": one.document,
                    "count": one.count,
                }
                for one in outcome.after.letters
            ]
        )
    )
    console.print(f"Took {outcome.seconds:.1f} s.")


def tell_problems(problems: tuple[str, ...]) -> None:
    """Print on standard error what was left undone."""
    from ops.presenting.console import err

    for problem in problems:
        err().print(f"headrace: {problem}", soft_wrap=True, markup=False)
