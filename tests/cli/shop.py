"""A small invented shop with one source, and the command run on it as a person would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.stack import remove_data_folder

COMMAND = (sys.executable, "-P", "-m", "ops.cli")

CONFIG = """\
company: {name: Shop, base_currency: EUR, time_zone: Europe/Berlin}
data: ./var
business_date: 2026-03-31
partitions: 2
sources:
  - {name: till, kind: files, path: exports, mapping: mappings/till.yaml}
"""

MAPPING = """\
profile: till/1
defaults: {tz: Europe/Berlin, currency: EUR}
streams:
  customers: {from: customers.csv, key: id}
  orders: {from: orders.csv, key: id}
  lines: {from: lines.csv, key: [order, number]}
  invoices: {from: invoices.csv, key: id}
events:
  - emit: customer
    from: customers
    key: id
    fields: {name: name, city: city}
  - emit: order
    from: orders
    key: id
    fields:
      occurred_at: {datetime: {date: day}}
      customer: {reference: customer}
      ordered_on: {date: day}
      currency: {const: EUR}
      status: {const: open}
    lines:
      join: {lines: {order: id}, missing: hold}
      order_by: number
      fields:
        number: number
        product: {reference: product}
        quantity: {decimal: quantity}
        net_amount: {decimal: amount}
        wanted_on: {date: wanted}
  - emit: invoice
    from: invoices
    key: id
    fields:
      occurred_at: {datetime: {date: day}}
      customer: {reference: customer}
      kind: {map: {I: invoice, C: cancellation}, of: kind, otherwise: reject}
      invoiced_on: {date: day}
      cancels: {reference: cancels}
      net: {decimal: net}
      gross: {decimal: gross}
      currency: {const: EUR}
      status: {const: posted}
"""

FILES = {
    "customers.csv": "id,name,city\n1,Adler Bau,Kiel\n2,Bruno & Co,Köln\n",
    "orders.csv": "id,customer,day\n10,1,2026-01-05\n11,2,2026-02-10\n",
    "lines.csv": (
        "order,number,product,quantity,amount,wanted\n"
        "10,1,SPADE,3,30.00,2026-04-20\n"
        "10,2,BARROW,1,99.50,2026-04-20\n"
        "11,1,SPADE,2,20.00,2026-05-02\n"
    ),
    "invoices.csv": (
        "id,customer,day,kind,cancels,net,gross\n"
        "20,1,2026-01-10,I,,129.50,154.11\n"
        "21,2,2026-02-12,I,,20.00,23.80\n"
        "22,2,2026-02-13,C,21,20.00,23.80\n"
        "23,2,2026-03-20,I,,100.00,119.00\n"
        "24,2,2026-03-21,I,,abc,1.00\n"
    ),
}
BROKEN_LINE, MENDED_LINE = "24,2,2026-03-21,I,,abc,1.00\n", "25,2,2026-03-22,I,,5.00,5.95\n"


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What it printed on standard output, as JSON."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder with headrace.yaml."""

    folder: Path

    def write(
        self,
        config: str = CONFIG,
        mapping: str = MAPPING,
        files: Mapping[str, str] = FILES,
    ) -> None:
        """Write the configuration and the exports."""
        (self.folder / "headrace.yaml").write_text(config)
        (self.folder / "mappings").mkdir(exist_ok=True)
        (self.folder / "mappings" / "till.yaml").write_text(mapping)
        (self.folder / "exports").mkdir(exist_ok=True)
        for name, text in files.items():
            (self.folder / "exports" / name).write_text(text, encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Let the source write on."""
        with (self.folder / "exports" / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def run(self, *arguments: str, timeout: float = 90.0) -> Ran:
        """Run a command in the folder to its end."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def ask(self, *arguments: str) -> dict[str, Any]:
        """The JSON that a command answers with."""
        ran = self.run(*arguments, "--json")
        assert ran.status == 0, ran.err
        return ran.answer

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[str]]:
        """``headrace up`` in the background; killed afterwards if it still runs."""
        process = subprocess.Popen(
            [*COMMAND, "up"],
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A process group of its own, as a shell gives it: Ctrl-C reaches it and not the tests.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
            process.communicate()


def running_in(folder: Path) -> list[str]:
    """What runs in a folder, or was told of it: the command lines of such processes."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if process.status() != psutil.STATUS_ZOMBIE and (
                str(folder) in words or Path(process.cwd()).is_relative_to(folder)
            ):
                found.append(words)
        except psutil.Error:
            continue
    return found


def environment() -> dict[str, str]:
    """The environment without settings of the hub, except for where jars are kept."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HEADRACE_") or name == "HEADRACE_CACHE"
    }


@contextmanager
def opened_shop() -> Iterator[Shop]:
    """A shop in a folder of its own; whatever runs there is stopped afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-tests-shop-"))
    shop = Shop(folder)
    shop.write()
    try:
        yield shop
    finally:
        if (folder / "var").exists():
            remove_data_folder(folder / "var")
        shutil.rmtree(folder, ignore_errors=True)


def until(condition: Any, seconds: float = 30.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.3)
