"""Writes the truth beside the exports: JSON Lines in which documents are named as the hub does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from plant.documents import CALLS, CRM, ERP, SERVICE, Customer
from plant.parameters import Parameters
from plant.systems.erp_parties import has_twin
from plant.systems.numbers import Numbering
from plant.systems.telling import EXISTS, Told
from plant.systems.writing import NotThisPlant
from plant.truth import Named, Story, Truth

_KEEP_CUSTOMERS = (ERP, CRM, CALLS, SERVICE)
_STORIES_OF_EACH_KIND = 3


def claim_folder(folder: Path, parameters: Parameters) -> bool:
    """Make sure that a folder is new, or holds the beginning of this plant, and write down which.

    What is written down first lets a run that was stopped be told from an earlier plant.

    Returns:
        Whether the folder is new.

    Raises:
        NotThisPlant: it holds something else, or a plant that is further; nothing was changed.
    """
    path = folder / "truth" / "plant.json"
    is_new = not path.exists()
    if is_new:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise NotThisPlant(f"{folder} holds something else: name a new or an empty folder")
    else:
        _refuse_another(folder, json.loads(path.read_text(encoding="utf-8")), parameters)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_plant(path, parameters, {})
    except OSError as error:
        raise NotThisPlant(f"{folder} cannot be written: {error}") from error
    return is_new


def _refuse_another(folder: Path, found: dict[str, Any], parameters: Parameters) -> None:
    for name in ("customers", "seed"):
        there, wanted = found["parameters"][name], getattr(parameters, name)
        if there != wanted:
            raise NotThisPlant(
                f"{folder} holds a plant with {name} {there}, not {wanted}: name an empty"
                f" folder, or --{name} {there}"
            )
    if found["parameters"]["until"] > str(parameters.until):
        raise NotThisPlant(
            f"{folder} holds this plant until {found['parameters']['until']} already: a plant"
            " grows, it is not cut back; name an empty folder, or a later day"
        )


def _write_plant(path: Path, parameters: Parameters, counts: Mapping[str, int]) -> None:
    """Write which plant this is; without counts it is still being made."""
    plant = {
        "parameters": {
            "customers": parameters.customers,
            "months": parameters.months,
            "seed": parameters.seed,
            "until": str(parameters.until),
        },
        "counts": counts,
    }
    _replace(path, json.dumps(plant, indent=2).encode() + b"\n")


def write_truth(
    folder: Path,
    parameters: Parameters,
    truth: Truth,
    told: Told,
    numbering: Numbering,
    customers: Mapping[int, Customer],
) -> None:
    """Write all tables of the truth anew; what was true yesterday may have gone on."""
    naming = _Naming(numbering, told, customers)
    rows: dict[str, Iterable[dict[str, Any]]] = {
        "customers": (_customer(each, naming, truth) for each in customers.values()),
        "late_invoices": (
            {
                **naming.named(("invoice", late.invoice)),
                "instalment": late.instalment,
                "customer": late.customer,
                "due_on": late.due_on,
                "paid_on": late.paid_on,
                "cause": late.cause,
                "evidence": [naming.named(each) for each in late.evidence],
            }
            for late in truth.late.values()
        ),
        "demand": (
            {
                "product": numbering.product(ERP, product),
                **numbering.named("product", product),
                "month": f"{year}-{month:02d}",
                "quantity": str(quantity),
            }
            for (product, year, month), quantity in sorted(truth.demanded.items())
        ),
        "rejects": (asdict(reject) for reject in told.rejects),
        "contradictions": told.contradictions,
        "stories": (
            {
                "kind": story.kind,
                "title": story.title,
                "told": [
                    {**naming.named(each), "sentence": sentence} for each, sentence in story.told
                ],
            }
            for story in _told_whole(truth.stories, naming)
        ),
        "forged_parts": (
            {
                "serial_number": serial,
                "equipment": naming.named(("equipment", equipment)),
                "visit": naming.named(("service_visit", visit)),
            }
            for equipment, serial, visit in truth.forged
        ),
        "unannounced_orders": (naming.named(("order", each)) for each in truth.unpiped),
        "announced_orders": (
            {**naming.named(("order", order)), "opportunity": naming.named(("opportunity", found))}
            for order, found in truth.announced.items()
        ),
        "hopeful_salespeople": (
            {"members": [{"source": at, "id": numbering.employee(at, each)} for at in (ERP, CRM)]}
            for each in sorted(truth.hopeful)
        ),
        "totals": told.states.totals(),
    }
    place = folder / "truth"
    place.mkdir(exist_ok=True)
    counts = {name: _write(place / f"{name}.jsonl", table) for name, table in rows.items()}
    _write_plant(place / "plant.json", parameters, counts)


class _Naming:
    """Names documents as the hub does."""

    def __init__(self, numbering: Numbering, told: Told, customers: Mapping[int, Customer]) -> None:
        self.numbering = numbering
        self._states = told.states
        self._customers = customers

    def named(self, document: Named) -> dict[str, Any]:
        """Its type, source and id; a customer has several."""
        kind, key = document
        if kind == "customer":
            first, *_ = self.members(self._customers[key])
            return {"type": kind, **first, "members": self.members(self._customers[key])}
        return {"type": kind, **self.numbering.named(kind, key)}

    def has_left(self, document: Named) -> bool:
        """Whether its system has exported it whole: a record that broke may never come again."""
        kind, key = document
        source = self.numbering.named(kind, key)["source"]
        return bool(self._states.get(source, kind, key) & EXISTS)

    def members(self, customer: Customer) -> list[dict[str, str]]:
        """Its records in all systems."""
        found = []
        for system in _KEEP_CUSTOMERS:
            if system in customer.known_in:
                number = self.numbering.customer(system, customer.key)
                found.append({"source": system, "id": number})
                if system == ERP and has_twin(self.numbering, customer.key):
                    found.append({"source": ERP, "id": self.numbering.twin(customer.key)})
        return found


def _told_whole(stories: Iterable[Story], naming: _Naming) -> Iterator[Story]:
    """Yield the first stories of each kind all of whose documents the hub can have."""
    counts: Counter[str] = Counter()
    for story in stories:
        is_whole = all(naming.has_left(document) for document, _ in story.told)
        if is_whole and counts[story.kind] < _STORIES_OF_EACH_KIND:
            counts[story.kind] += 1
            yield story


def _customer(customer: Customer, naming: _Naming, truth: Truth) -> dict[str, Any]:
    lost = truth.lost.get(customer.key)
    return {
        "key": customer.key,
        "legal_name": customer.name.legal,
        "parent": customer.parent,
        "members": naming.members(customer),
        "lost_on": None if lost is None else lost.on,
        "why": None if lost is None else lost.why,
        "payer": truth.payers.get(customer.key),
    }


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    lines = [orjson.dumps(row) + b"\n" for row in rows]
    _replace(path, b"".join(lines))
    return len(lines)


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step, so that nobody reads half of it."""
    new = path.with_name(f".{path.name}.part")
    new.write_bytes(content)
    new.replace(path)
