"""``headrace demo``: the hub on a sample plant, and a tour of what it then knows."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.failures import FAILED
from ops.commands.options import JsonOption, VerboseOption, prepare
from ops.commands.stopping import stop_on_sigterm, stopping_told
from ops.commands.up import run_until_idle, tell_outcome, tell_problems, tell_where
from schemas.keys import reference_key

if TYPE_CHECKING:
    from hub.settings import Settings
    from ops.running import Hub
    from ops.touring import Story
    from plant.generate import Generated

DATA = Path("var") / "demo"

_ROOT = Path(__file__).parents[2]
_MONTHS = 24
_SEED = 1
_ROWS = 8


def demo(
    customers: Annotated[
        int, typer.Option("--customers", metavar="N", min=20, help="Size of the plant.")
    ] = 300,
    leave: Annotated[bool, typer.Option("--exit", help="End when the tour is over.")] = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Make a sample plant in ./var/demo, run the hub on it, and show what it then knows.

    What an earlier demo left in ./var/demo is removed. The hub stays up until Ctrl-C, unless --exit
    is given.
    """
    from ops.presenting.console import err, out, print_json
    from ops.running import Hub, check_configuration
    from ops.touring import one_of_each, read_stories

    console = err() if as_json else out()
    data = DATA.absolute()
    _use_demo_settings(data)
    stop_on_sigterm()
    with stopping_told():
        clear(data)
        made = _make_plant(data / "plant", customers)
        told = f"{made.rows:,} rows in {made.files:,} files of five systems"
        console.print(f"A plant of {customers:,} customers: {told}, in {made.seconds:.1f} s.")
        config = made.folder / "headrace.yaml"
        settings = prepare(config, verbose=verbose)
        check_configuration(settings, paths=True)
        with Hub(settings, config) as hub:
            tell_where(hub, console)
            outcome = run_until_idle(hub, err())
            tell_outcome(outcome, console)
            problems = outcome.problems
            answers = _ask(hub, settings)
            if as_json:
                print_json(answers)
            else:
                stories = one_of_each(read_stories(made.folder))
                _guide(answers, stories, made, hub, settings)
            if not leave and not problems:
                console.print("The hub stays up and follows the files. Ctrl-C stops it.")
                problems = tuple(hub.follow())
    tell_problems(problems)
    if problems:
        raise typer.Exit(FAILED)


def _make_plant(folder: Path, customers: int) -> Generated:
    from hub.money import use_exact_arithmetic
    from ops.presenting.console import err
    from ops.progress import DayLine
    from plant.generate import generate
    from plant.parameters import Parameters

    use_exact_arithmetic()
    parameters = Parameters.of(customers, _MONTHS, _SEED)
    with DayLine(err(), parameters.until) as line:
        return generate(parameters, folder, line)


def _use_demo_settings(data: Path) -> None:
    """Let nothing in the environment lead the demo to a real database, cluster or data folder."""
    for name in [one for one in os.environ if one.startswith("HEADRACE_")]:
        if name != "HEADRACE_CACHE":
            del os.environ[name]
    # The processes of the hub load the settings themselves, with the environment they inherit.
    os.environ["HEADRACE_DATA"] = str(data)


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


def _guide(
    answers: dict[str, Any],
    stories: Sequence[Story],
    made: Generated,
    hub: Hub,
    settings: Settings,
) -> None:
    """Print the tour: the numbers, the three answers, the stories, and where to look further."""
    from ops.asking import ask_documents
    from ops.presenting.console import out
    from ops.presenting.views import customers_table, demand_table, receivables_table
    from ops.touring import documents_named, numbers_text, story_text

    console = out()
    month = str(answers["demand"]["as_of"])[:7]
    console.print(numbers_text(answers, made.rejects))
    console.print(customers_table(answers["customers"], _ROWS))
    console.print(demand_table(_announced(answers["demand"]), _ROWS, first_month=month))
    console.print(receivables_table(answers["receivables"], _ROWS))
    found = {
        (document, reference_key(row)): row
        for document, keys in documents_named(stories).items()
        for row in ask_documents(hub.addresses.database_url, document, None, keys)["rows"]
    }
    for number, story in enumerate(stories, start=1):
        console.print(story_text(number, story, found))
    further = look_further(made.folder, settings.data, command(), stories)
    console.print(further, soft_wrap=True, markup=False, highlight=False)


def _announced(demand: dict[str, Any]) -> dict[str, Any]:
    """The demand of which opportunities say a part; spare parts would fill the page."""
    rows = [row for row in demand["rows"] if row["pipeline"] != "0"]
    return {**demand, "rows": rows}


def look_further(plant: Path, data: Path, command: str, stories: Sequence[Story] = ()) -> str:
    """What to type to ask the demo's hub, from whatever folder."""
    config = quote(str(plant / "headrace.yaml"))
    lines = [
        f"export HEADRACE_CONFIG={config} HEADRACE_DATA={quote(str(data))}",
        f"{command} status",
        f"{command} show receivables --as-of 2025-06-30",
        f"{command} dead-letters list",
    ]
    if stories:
        first = stories[0].scenes[0]
        lines.append(f"{command} show documents {first.document} --key {quote(first.key)}")
    known = f"What is really so in the plant, beside what its systems say: {plant / 'truth'}"
    return "\n  ".join(["Look further, in another terminal:", *lines]) + "\n" + known


def command() -> str:
    """How a shell in any folder starts this program again."""
    script = Path(sys.argv[0])
    if script.suffix == ".py" or not os.access(script, os.X_OK):
        # Started as a module: where its packages lie must be said too, unless they are installed.
        return f"PYTHONPATH={quote(str(_ROOT))} {quote(sys.executable)} -P -m ops.cli"
    return quote(str(script.absolute()))
