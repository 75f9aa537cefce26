"""Looks whether the hub's contracts stand under their ids where readers of its topics ask."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from hub.registry import OutsideRegistry, RegistryRefused, RegistryUnreachable
from ops.doctor.finding import Finding, failed, ok, unknown, warning
from schemas.canonical import meaning, read_json
from schemas.versions import ContractVersion, contracts
from sinks.database import engine
from sinks.registry.registering import Registry
from sinks.registry.rows import Stored

_SHOWN = 3
_LAY_IN = "`headrace up` or `headrace prepare` lays them in"


def look_at_own_registry(url: str | None) -> Finding:
    """The one in the database at ``url``; None where the database cannot be read."""
    part = "schema registry"
    if url is None:
        return unknown(part, "the database was not asked", "see database")
    database = engine(url)
    try:
        held = {(one.subject, one.version): one for one in Registry(database).all_versions()}
    except SQLAlchemyError as error:
        return failed(part, f"its tables cannot be read: {error}", _LAY_IN)
    finally:
        database.dispose()
    wanted = [one for versions in contracts().values() for one in versions]
    others = [one for one in wanted if not _is(held.get((one.subject, one.number)), one)]
    if others:
        said = f"{_some(others)} not as this hub writes: its readers meet ids that say nothing"
        return failed(part, said, _LAY_IN)
    newer = _newer(held)
    if newer:
        said = f"it knows {', '.join(newer[:_SHOWN])}, and this hub does not"
        return failed(part, said, "update this hub: a newer release has used the database")
    return ok(part, f"the hub's own, {len(wanted)} versions of contracts under their ids")


def look_at_outside_registry(url: str) -> Finding:
    """The one that ``registry:`` names."""
    part = "outside registry"
    with OutsideRegistry(url) as registry:
        try:
            subjects = len(registry.subjects())
            missing = registry.lacks(contracts())
        except RegistryRefused as error:
            do = "free what is in the way there, or check registry: with its user and password"
            return failed(part, str(error), do)
        except (RegistryUnreachable, ValueError) as error:
            said = f"{registry.name} does not answer as a registry: {error}"
            return failed(part, said, "start it, and check registry: with its user and password")
        name = registry.name
    if missing:
        said = f"{name} lacks {_some(missing)}: readers that ask there meet ids that say nothing"
        return warning(part, said, "`headrace up` or `headrace prepare` registers them")
    return ok(part, f"{name}, {subjects} subjects, the hub's contracts under their ids")


def _is(held: Stored | None, wanted: ContractVersion) -> bool:
    return (
        held is not None
        and held.schema_id == wanted.schema_id
        and meaning(read_json(held.schema)) == meaning(read_json(wanted.text))
    )


def _newer(held: Mapping[tuple[str, int], Stored]) -> list[str]:
    """Versions of our contracts that a later release of the hub has laid in."""
    known = {subject: len(versions) for subject, versions in contracts().items()}
    return [
        f"version {number} of {subject}"
        for subject, number in sorted(held)
        if subject in known and number > known[subject]
    ]


def _some(versions: list[ContractVersion]) -> str:
    named = ", ".join(f"{one.subject} {one.number}" for one in versions[:_SHOWN])
    more = f" and {len(versions) - _SHOWN} more" if len(versions) > _SHOWN else ""
    return named + more
