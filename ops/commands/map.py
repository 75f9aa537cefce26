"""``headrace map``: checks a mapping, shows what it makes of records, tests it, drafts one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import ConfigOption, JsonOption, prepare, prepare_alone

if TYPE_CHECKING:
    from connectors.mapping.yaml_text import Written


def map_records(
    mapping: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="A mapping, or the name of a shipped profile."),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(metavar="RECORDS", help="Show what it makes of this file or folder."),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Run the tests that it holds.")] = False,
    init: Annotated[
        str | None,
        typer.Option(metavar="RECORDS", help="Draft a mapping of these records instead."),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="With --init: what they become; several may be given."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --init: write the draft here.", show_default=False),
    ] = None,
    source: Annotated[str, typer.Option(help="The source's name in the documents.")] = "sample",
    limit: Annotated[int, typer.Option(min=1, help="Events of each type to show.")] = 3,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check a mapping; with --sample, show what it makes of records. Nothing is published.

    Exits with 0 if nothing was rejected and no test failed, 1 if something was, 2 if the mapping
    cannot be used. Needs neither Kafka nor a database.
    """
    if (mapping is None) == (init is None):
        raise typer.BadParameter("give either a mapping or --init RECORDS")
    zone = _zone(config)
    if init is not None:
        _draft(init, event or [], out)
        return
    assert mapping is not None
    written, checked = _checked(mapping, source, zone)
    if test:
        _test(written, as_json)
    elif sample is not None:
        _sample(written, source, zone, sample, limit, as_json)
    else:
        typer.echo(f"{mapping}: {checked}")


def _zone(config: Path | None) -> ZoneInfo | None:
    """The company's time zone, if there is a configuration."""
    if config is None and not Path("headrace.yaml").is_file():
        prepare_alone()
        return None
    return prepare(config).company.zone


def _checked(name: str, source: str, zone: ZoneInfo | None) -> tuple[Written, str]:
    """The mapping, and a sentence on it; exits where it cannot be used."""
    from connectors.mapping.loading import compile_mapping, open_mapping
    from connectors.mapping.problems import MappingError
    from connectors.mapping.testing import load_tests
    from ops.mapping_report import problem_lines
    from ops.presenting.console import err

    try:
        written = open_mapping(name)
        mapping = compile_mapping(written, source, zone)
        tests = load_tests(written, mapping)
    except MappingError as error:
        console = err()
        for line in problem_lines(error, console.is_terminal):
            console.print(line, soft_wrap=True, markup=False)
        raise typer.Exit(MISUSED) from None
    makes = ", ".join(dict.fromkeys(event.document for event in mapping.events))
    reads = ", ".join(mapping.streams)
    return written, f"{mapping.profile} makes {makes} of {reads}; {len(tests)} tests."


def _sample(
    written: Written,
    source: str,
    zone: ZoneInfo | None,
    records: str,
    limit: int,
    as_json: bool,
) -> None:
    from connectors.dry_run import dry_run, held_against_contracts
    from connectors.mapping.loading import compile_mapping
    from ops.mapping_report import sample_answer, sample_views
    from ops.presenting.console import err, show

    mapping = compile_mapping(written, source, zone)
    run = held_against_contracts(dry_run(mapping, records))
    answer = sample_answer(mapping, written, run)
    show(answer, as_json, *([] if as_json else sample_views(answer, limit)))
    if not run.read:
        patterns = ", ".join(f"{one.name}: {one.pattern}" for one in mapping.streams.values())
        err().print(
            f"headrace: no record of {records} was read; a stream takes the files that its 'from'"
            f" names ({patterns})",
            soft_wrap=True,
            markup=False,
        )
    if run.rejections or not run.read:
        raise typer.Exit(FAILED)


def _test(written: Written, as_json: bool) -> None:
    from connectors.mapping.testing import run_tests
    from ops.mapping_report import tests_answer, tests_lines
    from ops.presenting.console import print_json

    answer = tests_answer(run_tests(written))
    if as_json:
        print_json(answer)
    else:
        typer.echo("\n".join(tests_lines(answer)))
    if not all(one["passed"] for one in answer["tests"]):
        raise typer.Exit(FAILED)


def _draft(records: str, documents: list[str], out: Path | None) -> None:
    from connectors.drafting.draft import draft_mapping
    from connectors.drafting.samples import name_of, samples_of
    from connectors.mapping.contract import document_types

    unknown = [one for one in documents if one not in document_types()]
    if unknown or not documents:
        known = ", ".join(document_types())
        found = f"no type {', '.join(unknown)}" if unknown else "missing"
        raise typer.BadParameter(f"{found}; there are {known}", param_hint="--event")
    samples = samples_of(records)
    draft = draft_mapping(name_of(records), samples.records, documents, samples.places)
    if out is None:
        typer.echo(draft.text, nl=False)
    else:
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(draft.text)
        except OSError as error:
            raise typer.BadParameter(
                f"{out} cannot be written: {error.strerror}", param_hint="--out"
            ) from error
        typer.echo(f"{out}: TODO stands {draft.todos} times; {len(draft.unused)} columns unused.")
        first = "Fill it in" if draft.todos else "Read it over"
        then = shlex.join(["headrace", "map", str(out), "--sample", records])
        typer.echo(f"{first}, then: {then}")
