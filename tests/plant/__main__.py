"""``python -m tests.plant --customers N --months M [--seed S]``: see ``make plant-large``."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from hub.log import configure_logging
from hub.money import use_exact_arithmetic
from tests.plant.campaign import run
from tests.plant.hub import UpFailed

_SHOWN = 40


def main() -> int:
    """Run a plant through the hub; 1 where an answer is not as the log has it."""
    parser = argparse.ArgumentParser(prog="python -m tests.plant", description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, help="of all chance in the plant")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    use_exact_arithmetic()
    configure_logging("ERROR")
    print(f"{chosen.customers:,} customers, {chosen.months} months, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="headrace-plant-"))
    try:
        measured = run(
            chosen.customers, chosen.months, seed, folder, lambda line: print(line, flush=True)
        )
    except UpFailed as error:
        print(f"{error}; its files are kept in {folder}", file=sys.stderr)
        return 1
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for difference in measured.differences[:_SHOWN]:
        print(f"    {difference}")
    if measured.differences:
        print(f"The plant and the hub's data are kept in {folder}.")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
