"""A figure beside the limit or the peer that it is compared with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

#: Tells what is under way; the figures alone go to standard output.
say = Console(stderr=True, highlight=False).print


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; ``against`` names what it is held to, or is empty for information.

    ``ratio`` is value ÷ against_value. ``at_least`` tells the direction of ``target``, which bounds
    the ratio where there is a peer, else the value.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    target: float | None = None
    at_least: bool = True

    @property
    def ratio(self) -> float | None:
        """How the value compares with what it is held to."""
        return self.value / self.against_value if self.against_value else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        compared = self.value if self.against_value is None else self.ratio
        assert compared is not None
        return compared >= self.target if self.at_least else compared <= self.target

    def as_json(self) -> dict[str, object]:
        """Return the figure as it stands in ``benchmarks/latest.json``."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "against": self.against,
            "against_value": None if self.against_value is None else round(self.against_value, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "target": self.target,
            "met": self.met,
        }


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures for programs."""
    path.write_text(json.dumps([figure.as_json() for figure in figures], indent=1) + "\n")


def show(figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    table = Table("figure", "value", "unit", "against", "ratio", "to reach", "met")
    for figure in figures:
        target = ""
        if figure.target is not None:
            sign = "≥" if figure.at_least else "≤"
            target = f"{sign} {figure.target:g}{' ×' if figure.against_value else ''}"
        against = figure.against
        if figure.against_value is not None:
            against += f" ({figure.against_value:,.1f})"
        table.add_row(
            figure.name,
            f"{figure.value:,.1f}",
            figure.unit,
            against,
            "" if figure.ratio is None else f"{figure.ratio:.2f} ×",
            target,
            {None: "", True: "yes", False: "NO"}[figure.met],
        )
    Console(width=150).print(table)
