"""``headrace demo``: the hub on an invented workshop, and what it then knows."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import JsonOption, VerboseOption, prepare
from ops.commands.stopping import stop_on_sigterm, stopping_told
from ops.commands.up import run_until_idle, tell_outcome, tell_problems, tell_where

if TYPE_CHECKING:
    from rich.console import Console

    from hub.settings import Settings
    from ops.running import Hub

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "examples" / "workshop" / "headrace.yaml"
DATA = ROOT / "var" / "demo"

_ROWS = 12


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="End when the views are shown.")] = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run the hub on examples/workshop in a fresh data folder, and show what it then knows.

    It stays up until Ctrl-C, unless --exit is given.
    """
    from ops.presenting import err, out, print_json
    from ops.running import Hub, check_configuration

    console = err() if as_json else out()
    if not CONFIG.is_file():
        err().print(f"headrace: the demo needs a checkout of headrace; there is no {CONFIG}")
        raise typer.Exit(MISUSED)
    _use_demo_settings()
    settings = prepare(CONFIG, verbose=verbose)
    check_configuration(settings, paths=True)
    clear(settings.data)
    stop_on_sigterm()
    with stopping_told(), Hub(settings, CONFIG) as hub:
        tell_where(hub, console)
        outcome = run_until_idle(hub, err())
        tell_outcome(outcome, console)
        problems = outcome.problems
        answers = _ask(hub, settings)
        if as_json:
            print_json(answers)
        else:
            _show(answers, settings, console)
        if not leave and not problems:
            console.print("The hub stays up and follows the files. Ctrl-C stops it.")
            problems = tuple(hub.follow())
    tell_problems(problems)
    if problems:
        raise typer.Exit(FAILED)


def _use_demo_settings() -> None:
    """Let nothing in the environment lead the demo to a real database, cluster or data folder."""
    for name in [one for one in os.environ if one.startswith("HEADRACE_")]:
        if name != "HEADRACE_CACHE":
            del os.environ[name]
    # The processes of the hub load the settings themselves, with the environment they inherit.
    os.environ["HEADRACE_DATA"] = str(DATA)


def clear(data: Path) -> None:
    """Remove the data folder of an earlier demo.

    Raises:
        FolderInUse: that demo still runs.
    """
    from ops.embedded.broker import EmbeddedBroker
    from ops.embedded.database import EmbeddedDatabase
    from ops.embedded.folder import sole_hub

    if not data.exists():
        return
    with sole_hub(data):
        for server in (EmbeddedBroker(data), EmbeddedDatabase(data)):
            server.stop_if_unused()
        shutil.rmtree(data)


def _ask(hub: Hub, settings: Settings) -> dict[str, Any]:
    from ops.asking import ask_customers, ask_demand, ask_receivables, ask_status

    url = hub.addresses.database_url
    return {
        "status": ask_status(url, settings, hub.addresses.cluster),
        "customers": ask_customers(url, settings, None),
        "demand": ask_demand(url, settings, None),
        "receivables": ask_receivables(url, settings, None),
    }


def _show(answers: dict[str, Any], settings: Settings, console: Console) -> None:
    from ops.presenting import customers_table, demand_table, receivables_table

    month = str(answers["demand"]["as_of"])[:7]
    console.print(customers_table(answers["customers"], _ROWS))
    console.print(demand_table(answers["demand"], _ROWS, first_month=month))
    console.print(receivables_table(answers["receivables"], _ROWS))
    console.print(look_further(settings.data, command()), soft_wrap=True, markup=False)


def look_further(data: Path, command: str) -> str:
    """What to type to ask the demo's hub, from whatever folder."""
    folders = f"HEADRACE_CONFIG={quote(str(CONFIG))} HEADRACE_DATA={quote(str(data))}"
    return (
        "Look further, in another terminal:\n"
        f"  export {folders}\n"
        f"  {command} status\n"
        f"  {command} show receivables --as-of 2026-08-31\n"
        f"  {command} dead-letters list"
    )


def command() -> str:
    """How a shell in any folder starts this program again."""
    script = Path(sys.argv[0])
    if script.suffix == ".py" or not os.access(script, os.X_OK):
        # Started as a module: where its packages lie must be said too, unless they are installed.
        return f"PYTHONPATH={quote(str(ROOT))} {quote(sys.executable)} -P -m ops.cli"
    return quote(str(script.absolute()))
