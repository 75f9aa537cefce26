"""Plays a plant and writes its systems' exports, what a hub needs to read them, and the truth."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import Any

from plant.documents import CALLS, CRM, ERP, MES, SERVICE, SYSTEMS, Customer, Document
from plant.parameters import Parameters
from plant.playing import play
from plant.systems.calls import CallCentre
from plant.systems.crm import Crm
from plant.systems.database import Books
from plant.systems.erp import Erp
from plant.systems.exporting import Exporter
from plant.systems.mes import Mes
from plant.systems.numbers import Numbering
from plant.systems.service import ServiceNetwork
from plant.systems.telling import Told
from plant.systems.truth_files import claim_folder, write_truth
from plant.world import Listener

OnProgress = Callable[[date], None]

_BUSINESS_DATE = re.compile(r"(?m)^business_date:.*$")


@dataclass(frozen=True, slots=True)
class Generated:
    """What was made: a plant until a day, its files and rows, and what the hub will count."""

    folder: Path
    until: date
    files: int
    rows: int
    rejects: int
    documents: list[dict[str, Any]]
    database_rows: int | None
    seconds: float

    def summary(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "folder": str(self.folder),
            "until": str(self.until),
            "files": self.files,
            "rows": self.rows,
            "rejects": self.rejects,
            "documents": {one["type"]: one["count"] for one in self.documents},
            "database_rows": self.database_rows,
            "seconds": round(self.seconds, 1),
        }


class _Listening:
    """Passes the documents on to all systems, and remembers the customers for the truth."""

    def __init__(self, systems: list[Listener], on_progress: OnProgress | None) -> None:
        self.customers: dict[int, Customer] = {}
        self._systems = systems
        self._on_progress = on_progress

    def take(self, document: Document, at: datetime) -> None:
        if isinstance(document, Customer):
            self.customers[document.key] = document
        for system in self._systems:
            system.take(document, at)

    def end_day(self, day: date) -> None:
        for system in self._systems:
            system.end_day(day)
        if self._on_progress is not None:
            self._on_progress(day)


def generate(
    parameters: Parameters,
    folder: Path,
    on_progress: OnProgress | None = None,
    database: str | None = None,
) -> Generated:
    """Make a plant in a folder, or let the one that is there grow until a later day.

    Args:
        parameters: of the plant.
        folder: where its files go; an empty one, a new one, or one of the same plant.
        on_progress: called with each day that was played.
        database: SQLAlchemy's address of a database to be filled with the ERP's tables.

    Raises:
        NotThisPlant: the folder holds something else, or a plant that is further.
        DatabaseUnusable: the database has no driver here, or holds another plant.
    """
    started = monotonic()
    is_new = claim_folder(folder, parameters)
    told, numbering = Told(), Numbering(parameters.seed)
    exports = folder / "exports"
    exporters = {system: Exporter(system, parameters.seed, exports, told) for system in SYSTEMS}
    books = None if database is None else Books(database, is_new)
    crm = Crm(exporters[CRM], numbering, told)
    listening = _Listening(
        [
            Erp(exporters[ERP], numbering, books),
            crm,
            Mes(exporters[MES], numbering),
            CallCentre(exporters[CALLS], numbering),
            ServiceNetwork(exporters[SERVICE], numbering, told),
        ],
        on_progress,
    )
    truth = play(parameters, listening)
    for exporter in exporters.values():
        exporter.finish()
    crm.finish(parameters.until)
    if books is not None:
        books.close()
    _write_configuration(folder, parameters)
    generated = Generated(
        folder=folder,
        until=parameters.until,
        files=sum(exporter.files for exporter in exporters.values()),
        rows=sum(exporter.rows for exporter in exporters.values()),
        rejects=len(told.rejects),
        documents=told.states.totals(),
        database_rows=None if books is None else books.rows,
        seconds=monotonic() - started,
    )
    write_truth(folder, parameters, truth, told, numbering, listening.customers)
    return generated


def _write_configuration(folder: Path, parameters: Parameters) -> None:
    """Put mappings and headrace.yaml beside the exports; of one that is there, set the date."""
    mappings = folder / "mappings"
    mappings.mkdir(exist_ok=True)
    for name in (*SYSTEMS, "erp_database"):
        with files("plant").joinpath("mappings", f"{name}.yaml").open("rb") as mapping:
            with (mappings / f"{name}.yaml").open("wb") as copy:
                shutil.copyfileobj(mapping, copy)
    path = folder / "headrace.yaml"
    text = path.read_text(encoding="utf-8") if path.exists() else _CONFIGURATION
    path.write_text(
        _BUSINESS_DATE.sub(f"business_date: {parameters.until}", text), encoding="utf-8"
    )


_CONFIGURATION = """\
# A generated maker of construction machinery. Run from this folder: headrace up --until-idle
company: {name: Sample Plant, base_currency: CNY, time_zone: Asia/Shanghai}
data: ./var
kafka: embedded
database: embedded
# The last day that was played.
business_date: 1970-01-01
sources:
  - {name: erp, kind: files, path: exports/erp, mapping: mappings/erp.yaml}
  - {name: crm, kind: files, path: exports/crm, mapping: mappings/crm.yaml}
  - {name: mes, kind: files, path: exports/mes, mapping: mappings/mes.yaml}
  - {name: calls, kind: files, path: exports/calls, mapping: mappings/calls.yaml}
  - {name: service, kind: files, path: exports/service, mapping: mappings/service.yaml}
"""
