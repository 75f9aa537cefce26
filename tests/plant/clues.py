"""``python -m tests.plant.clues [SEED…]``: see ``make clues``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from hub.money import use_exact_arithmetic
from tests.plant.exported import read_exports
from tests.plant.guesses import CLUES, Late, late_invoices, shares_guessed
from tests.plant.plants import make_plant

HALF = 0.5


def main() -> int:
    """Print what each clue finds on each plant; 1 where one, or two at once, find half."""
    parser = argparse.ArgumentParser(prog="python -m tests.plant.clues", description=__doc__)
    parser.add_argument("seeds", type=int, nargs="*", metavar="SEED", help="instead of 1 to 10")
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--months", type=int, default=24)
    chosen = parser.parse_args()
    use_exact_arithmetic()
    telling = 0
    for seed in chosen.seeds or range(1, 11):
        lates = _lates(chosen.customers, chosen.months, seed)
        shares = shares_guessed(lates)
        causes = Counter(row["cause"] for row, _ in lates)
        print(f"seed {seed}: {len(lates):,} late instalments")
        print(_listed({cause: count / len(lates) for cause, count in causes.most_common()}))
        print(_listed({name: shares[name] for name in CLUES}))
        pair = max(shares.keys() - CLUES.keys(), key=lambda name: (shares[name], name))
        print(_listed({pair: shares[pair]}), flush=True)
        telling += sum(share >= HALF for share in shares.values())
    return 1 if telling else 0


def _lates(customers: int, months: int, seed: int) -> list[Late]:
    with tempfile.TemporaryDirectory() as folder:
        plant = make_plant(Path(folder) / "plant", customers=customers, months=months, seed=seed)
        invoices = read_exports(plant, ["erp"])["invoice"]
        return late_invoices(plant.truth("late_invoices"), invoices)


def _listed(shares: dict[str, float]) -> str:
    return "  " + ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())


if __name__ == "__main__":
    sys.exit(main())
