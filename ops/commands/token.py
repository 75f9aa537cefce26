"""``headrace token``: who may call the HTTP door, and what for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.failures import FAILED
from ops.commands.options import ConfigOption, JsonOption, prepare

if TYPE_CHECKING:
    from sinks.tokens import Token

app = typer.Typer(
    no_args_is_help=True, help="Tokens of those who call the HTTP door.", add_completion=False
)

NameArgument = Annotated[str, typer.Argument(help="Names the token; each name once.")]


@app.command("create")
def create(
    name: NameArgument,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="publish (the default), read or operate; several times."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="It may publish for this source alone; several times."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token and show it, once: what is kept is a hash of it."""
    from ops.presenting.console import err, print_json
    from ops.stack import Stack
    from sinks import tokens
    from sinks.database import connect

    scopes = list(dict.fromkeys(scope or ["publish"]))
    unknown = [one for one in scopes if one not in tokens.SCOPES]
    if unknown:
        known = ", ".join(tokens.SCOPES)
        raise typer.BadParameter(f"{unknown[0]!r} is no scope; the scopes are {known}")
    if not name.strip():
        raise typer.BadParameter("a token has a name")
    sources = list(dict.fromkeys(source)) if source else None
    if sources and "publish" not in scopes:
        raise typer.BadParameter("--source is for tokens with the scope publish")
    if sources and not all(one.strip() for one in sources):
        raise typer.BadParameter("a source has a name")
    with Stack.database_only(prepare(config)) as url, connect(url) as connection:
        text = tokens.create(connection, name, scopes, sources)
    if as_json:
        print_json({"name": name, "scopes": scopes, "sources": sources, "token": text})
        return
    print(text)
    may = f"It may {', '.join(scopes)}"
    if "publish" in scopes:
        may += f", {_published(sources)}"
    err().print(f"Keep it: it is not shown again. {may}.", markup=False)


@app.command("list")
def list_tokens(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the tokens, without their secrets."""
    from rich.table import Table

    from ops.presenting.console import out, print_json
    from ops.stack import Stack
    from sinks import tokens
    from sinks.database import connect

    with Stack.database_only(prepare(config)) as url, connect(url) as connection:
        found = tokens.all_tokens(connection)
    if as_json:
        print_json({"tokens": [_row(one) for one in found]})
        return
    table = Table("name", "id", "may", "sources", "made", "revoked")
    for one in found:
        row = _row(one)
        sources = "any" if one.sources is None else ", ".join(one.sources)
        may = ", ".join(one.scopes)
        table.add_row(one.name, one.id, may, sources, row["created_at"], row["revoked_at"] or "")
    out().print(table)


@app.command("revoke")
def revoke(name: NameArgument, config: ConfigOption = None) -> None:
    """Revoke a token; within seconds nobody gets in with it."""
    from ops.presenting.console import err, out
    from ops.stack import Stack
    from sinks import tokens
    from sinks.database import connect

    with Stack.database_only(prepare(config)) as url, connect(url) as connection:
        revoked = tokens.revoke(connection, name)
    if not revoked:
        err().print(f"headrace: no token named {name!r} is in use", markup=False)
        raise typer.Exit(FAILED)
    out().print(f"{name} is revoked.", markup=False)


def _published(sources: list[str] | None) -> str:
    """What a token may publish, for people."""
    if sources is None:
        return "for any source; --source NAME binds a token to some"
    return f"for {', '.join(sources)} alone"


def _row(token: Token) -> dict[str, Any]:
    revoked = token.revoked_at
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "sources": None if token.sources is None else list(token.sources),
        "created_at": token.created_at.isoformat(timespec="seconds"),
        "revoked_at": revoked.isoformat(timespec="seconds") if revoked else None,
    }
