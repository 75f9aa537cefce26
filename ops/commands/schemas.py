"""``headrace schemas``: what the registry holds, and whether a schema may come to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.failures import FAILED, MISUSED
from ops.commands.options import ConfigOption, JsonOption, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.presenting.console import Answer

app = typer.Typer(no_args_is_help=True, help="List, check, register and release Avro schemas.")

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="An Avro schema (.avsc).", dir_okay=False)
]
SubjectOption = Annotated[
    str | None,
    typer.Option(
        "--subject",
        help="By default that of the contract with this name, or else the schema's full name.",
        show_default=False,
    ),
]


@app.command("list")
def list_all(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the subjects of the registry with their newest versions."""
    from ops.presenting.console import show
    from ops.presenting.status import schemas_table
    from ops.registries import registry_of
    from schemas.catalogue import TOPICS
    from schemas.versions import subject_of

    contracts = {subject_of(topic): topic for topic in TOPICS.values()}
    with registry_of(prepare(config)) as registry:
        rows = []
        for subject in registry.subjects():
            version, schema_id = registry.newest(subject)
            topic = contracts.get(subject)
            rows.append(
                {
                    "subject": subject,
                    "version": version,
                    "id": schema_id,
                    "contract": topic is not None,
                    "released": topic.released if topic is not None else None,
                }
            )
        answer = {"registry": registry.name, "rows": rows}
    show(answer, as_json, schemas_table(answer))


@app.command("check")
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="An Avro schema (.avsc); without it, the released contracts of this checkout.",
            dir_okay=False,
        ),
    ] = None,
    subject: SubjectOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say whether a schema may follow those of its subject; exits with 1 if it may not.

    Without FILE it needs no configuration and no database: the contracts in schemas/avro are
    compared with their released versions in schemas/released, and these with their digests.
    """
    if file is None:
        _check_contracts(as_json)
        return
    from ops.registries import registry_of

    text = _read(file)
    chosen = subject or _subject(file, text)
    with registry_of(prepare(config)) as registry:
        messages = registry.check(chosen, text)
        name = registry.name
    answer = {"subject": chosen, "compatible": not messages, "messages": messages}
    told = messages or [f"{file} may follow what {name} has under {chosen}."]
    _tell(answer, as_json, told)
    if messages:
        raise typer.Exit(FAILED)


@app.command("register")
def register(
    file: FileArgument,
    subject: SubjectOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Register a schema under its subject, and print its id."""
    from ops.registries import registry_of

    text = _read(file)
    chosen = subject or _subject(file, text)
    with registry_of(prepare(config)) as registry:
        schema_id = registry.register(chosen, text)
    told = f"{chosen} has the schema id {schema_id}."
    _tell({"subject": chosen, "id": schema_id}, as_json, [told])


@app.command("release")
def release(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Topics, or `all`.")],
) -> None:
    """Release contracts in this checkout: from then on they only grow."""
    from importlib.resources import files

    from ops.presenting.console import err, out
    from schemas.catalogue import TOPICS
    from schemas.releasing import release as release_contract

    chosen = list(TOPICS) if names == ["all"] else names
    unknown = [name for name in chosen if name not in TOPICS]
    if unknown:
        err().print(f"headrace: no topic {unknown[0]!r}; there are: {', '.join(TOPICS)}")
        raise typer.Exit(MISUSED)
    for name in chosen:
        number = release_contract(TOPICS[name], Path(str(files("schemas"))))
        out().print(f"{name}: {'as released' if number is None else f'version {number}'}")


def _check_contracts(as_json: bool) -> None:
    from importlib.resources import files

    from schemas.catalogue import TOPICS
    from schemas.digests import digest_problems
    from schemas.versions import contract_problems

    topics = list(TOPICS.values())
    problems = digest_problems(files("schemas") / "released", TOPICS)
    problems += [problem for topic in topics for problem in contract_problems(topic)]
    released = sum(topic.released for topic in topics)
    answer = {"contracts": len(topics), "released": released, "problems": problems}
    summary = f"{len(topics)} contracts, {released} released: {_count(problems)}"
    _tell(answer, as_json, [*problems, summary])
    if problems:
        raise typer.Exit(FAILED)


def _tell(answer: Answer, as_json: bool, lines: Sequence[str]) -> None:
    from ops.presenting.console import print_json

    if as_json:
        print_json(answer)
        return
    for line in lines:
        typer.echo(line)


def _count(problems: Sequence[str]) -> str:
    return "no problem" if not problems else f"{len(problems)} problem{'s' * (len(problems) > 1)}"


def _read(file: Path) -> str:
    from ops.presenting.console import err

    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        err().print(f"headrace: {file} cannot be read: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(MISUSED) from error


def _subject(file: Path, text: str) -> str:
    """By the schema's name: that of one of our contracts, or the name itself."""
    from ops.presenting.console import err
    from schemas.canonical import full_name, read_json
    from schemas.catalogue import TOPICS
    from schemas.versions import subject_of

    name = full_name(read_json(text))
    if name is None:
        err().print(f"headrace: {file} has no name; say its subject with --subject", markup=False)
        raise typer.Exit(MISUSED)
    contracts = {full_name(dict(topic.schema)): topic for topic in TOPICS.values()}
    return subject_of(contracts[name]) if name in contracts else name
