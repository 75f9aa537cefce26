"""``python -m tests.real --data FOLDER``: exits 1 where a figure is not as it must be."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from hub.log import configure_logging
from tests.real import northwind, sap
from tests.real.figures import table
from tests.real.hub import UpFailed
from tests.real.rounds import Expectation, Round, rounds

SETS: tuple[Expectation, ...] = (sap.REAL, northwind.REAL)


def main() -> int:
    """Run every set and print its figures; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.real", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds sap_o2c and northwind")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--seed", type=int, help="of random orders and SIGKILLs, to repeat a run")
    asked = parser.parse_args()
    for expected in SETS:
        if not (asked.data / expected.folder).is_dir():
            print(
                f"There is no folder {expected.folder} in {asked.data}: these records are no part "
                "of the project. Name the folder that holds them with DATA=… (make real) or "
                "--data, or run the invented ones of the same formats with `make test`.",
                file=sys.stderr,
            )
            return 1
    configure_logging("WARNING")
    seed = random.SystemRandom().randrange(10_000) if asked.seed is None else asked.seed
    began = time.monotonic()
    done: list[Round] = []
    failed = False
    with tempfile.TemporaryDirectory(prefix="headrace-real-", ignore_cleanup_errors=True) as folder:
        for expected in SETS:
            try:
                for one in rounds(expected, asked.data, Path(folder) / expected.folder, seed):
                    done.append(one)
                    if not asked.json:
                        tell(one)
            except UpFailed as error:
                print(f"{expected.folder}: headrace up --until-idle: {error}", file=sys.stderr)
                failed = True
    if asked.json:
        print(json.dumps([{**asdict(one), "holds": one.holds} for one in done], indent=2))
    else:
        figures = [figure for one in done for figure in one.figures]
        print(
            f"\n{sum(figure.holds for figure in figures)} of {len(figures)} figures hold in "
            f"{len(done)} runs, {time.monotonic() - began:.0f} s, seed {seed}."
        )
    return 0 if not failed and all(one.holds for one in done) else 1


def tell(one: Round) -> None:
    """Print the first run of a set whole, and of the others what is different."""
    wrong = [figure for figure in one.figures if not figure.holds]
    first = one.name == "first run"
    if first:
        print(f"\n{one.records}: headrace up --until-idle\n{table(one.figures)}\n")
    held = "all" if not wrong else f"only {len(one.figures) - len(wrong)}"
    print(f"{one.records}, {one.name}: {held} of {len(one.figures)} figures, {one.seconds:.0f} s")
    if wrong and not first:
        print(table(wrong))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
