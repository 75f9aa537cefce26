"""The whole hub, run on the workshop's files, shows the figures that were worked out by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.oracle.asking import ROOT, ask_hub
from tests.oracle.check import check_customers, check_demand, check_receivables
from tests.oracle.customers import customers
from tests.oracle.demand import demand
from tests.oracle.receivables import receivables
from tests.oracle.test_workshop import AS_OF, EXPECTED, WORKSHOP, workshop

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_the_files_of_the_workshop_become_its_figures(data_folder: Path) -> None:
    folder = data_folder / "workshop"
    shutil.copytree(WORKSHOP, folder, ignore=shutil.ignore_patterns("var"))
    config = folder / "headrace.yaml"
    subprocess.run(
        [sys.executable, "-m", "ops.cli", "up", "--until-idle", "--config", str(config)],
        check=True,
        cwd=ROOT,
        timeout=240,
    )

    answers = ask_hub(config, ["2026-07-31"], documents=False)

    assert answers.status is not None and answers.customers is not None
    counted = {kind: one for kind, one in answers.status["documents"].items() if one["count"]}
    assert counted == EXPECTED["documents"]
    assert answers.status["dead_letters"] == EXPECTED["dead_letters"]
    named = customers(workshop(), AS_OF, EXPECTED["currency"])
    found = []
    for shown in answers.receivables:
        day = date.fromisoformat(shown["as_of"])
        rows = receivables(workshop(), day, EXPECTED["currency"])
        found += check_receivables(shown, rows, named, EXPECTED["currency"])
    assert answers.demand is not None
    found += check_demand(answers.demand, demand(workshop(), AS_OF), AS_OF)
    found += [
        sentence
        for sentence in check_customers(answers.customers, named, workshop())
        if "name" not in sentence  # the documents by hand have no real names
    ]
    assert found == []
    names = {row["name"] for row in answers.customers["rows"]}
    assert {"华东建设工程有限公司", "Müller Erdbau GmbH", "Blue Bay Marinas", None} <= names
