"""``headrace rebuild``: views made anew from the facts, or everything from the topics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import ConfigOption, VerboseOption, prepare
from ops.commands.stopping import stop_on_sigterm
from ops.commands.up import tell_outcome, tell_problems

if TYPE_CHECKING:
    from hub.settings import Settings


def rebuild(
    stream: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this stream; may be repeated.", show_default=False),
    ] = None,
    from_topics: Annotated[
        bool,
        typer.Option("--from-topics", help="Forget the facts too, and read the topics again."),
    ] = False,
    accept_recreated: Annotated[
        list[str] | None,
        typer.Option(
            "--accept-recreated",
            metavar="TOPIC",
            help="This topic was deleted and created again on purpose: go on with the new one;"
            " with --from-topics, without what came by the old one.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Make views anew: by the same rules from the facts, or everything from the topics.

    Needed after a change of the policy or of a rule. With --from-topics the hub must not be up.
    With --accept-recreated alone nothing is made anew.
    """
    from ops.presenting.console import err
    from ops.rebuilding import STREAMS
    from schemas.catalogue import TOPICS

    settings = prepare(config, verbose=verbose)
    unknown = sorted(set(stream or ()) - set(STREAMS))
    problem = None
    if unknown:
        problem = f"no stream {', '.join(unknown)}; there are {', '.join(STREAMS)}"
    elif from_topics and stream:
        problem = "--from-topics makes everything anew; it goes without --stream"
    elif foreign := sorted(set(accept_recreated or ()) - set(TOPICS)):
        problem = f"no topic {', '.join(foreign)}; there are {', '.join(TOPICS)}"
    if problem is not None:
        err().print(f"headrace: {problem}")
        raise typer.Exit(MISUSED)
    if from_topics:
        _from_topics(settings, config, accept_recreated or [])
    elif accept_recreated:
        _accept(settings, accept_recreated)
    else:
        _from_facts(settings, stream or None)


def _accept(settings: Settings, topics: list[str]) -> None:
    from ops.presenting.console import out
    from ops.rebuilding import accept_topics

    for topic, positions in accept_topics(settings, topics).items():
        out().print(f"{topic}: {positions:,} positions forgotten, `headrace up` reads the new one")


def _from_facts(settings: Settings, names: list[str] | None) -> None:
    from ops.presenting.console import err, out
    from ops.rebuilding import rebuild_from_facts

    console = err()

    def tell(stream: str, document: str, number: int) -> None:
        if console.is_terminal:
            console.print(f"{stream}: {number:,} {document}", end="\r")

    for name, taken in rebuild_from_facts(settings, names, tell).items():
        out().print(f"{name}: rebuilt from {taken:,} documents")


def _from_topics(settings: Settings, config: Path | None, accepted: list[str]) -> None:
    from ops.presenting.console import err, out
    from ops.progress import ProgressDisplay
    from ops.rebuilding import rebuild_from_topics
    from ops.running import Hub

    stop_on_sigterm()
    with Hub(settings, config) as hub, ProgressDisplay(err()) as display:
        outcome = rebuild_from_topics(settings, hub, accepted, display)
    tell_outcome(outcome, out())
    tell_problems(outcome.problems)
    if outcome.problems:
        raise typer.Exit(FAILED)
