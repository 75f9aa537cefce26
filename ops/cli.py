"""The command ``headrace``: its commands put together, and errors told in a sentence."""

from __future__ import annotations

import sys

import typer

from ops.commands import (
    dead_letters,
    demo,
    doctor,
    internal,
    map,
    plant,
    rebuild,
    schemas,
    show,
    sources,
    status,
    token,
    up,
)
from ops.commands.failures import explain

app = typer.Typer(
    name="headrace",
    help="An integration hub for manufacturers: one view of customers, demand and receivables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("status")(status.status)
app.command("lag")(status.lag)
app.add_typer(show.app, name="show")
app.add_typer(dead_letters.app, name="dead-letters")
app.command("rebuild")(rebuild.rebuild)
app.add_typer(sources.app, name="sources")
app.add_typer(schemas.app, name="schemas")
app.command("map")(map.map_records)
app.add_typer(token.app, name="token")
app.command("plant")(plant.plant)
app.command("prepare", hidden=True)(internal.prepare_servers)
app.command("worker", hidden=True)(internal.worker)
app.command("relay", hidden=True)(internal.relay)
app.command("connectors", hidden=True)(internal.connectors)
app.command("api", hidden=True)(internal.api)
app.command("observer", hidden=True)(internal.observer)


def main() -> None:
    """Run the command; exits with its status."""
    try:
        app(prog_name="headrace")
    except Exception as error:
        told = explain(error)
        if told is None:
            raise
        message, status = told
        print(f"headrace: {message}", file=sys.stderr)
        sys.exit(status)


if __name__ == "__main__":
    main()
