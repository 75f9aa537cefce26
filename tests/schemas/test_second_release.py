"""``headrace schemas release|check`` on a second version, in a checkout of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.shop import COMMAND

ROOT = Path(__file__).parents[2]
NAME = "finance.rate.v1"
MOOD = {"name": "mood", "type": ["null", "string"], "default": None}
READ_BOTH = """
import json, sys
from schemas.catalogue import DOCUMENTS, by_schema_id
from schemas.codec import decode_batch, encode
from schemas.versions import contracts
from tests.schemas.plain import from_plain

rate = DOCUMENTS["rate"]
written = from_plain(rate, rate.golden()["valid"][0])
first, second = bytes.fromhex(sys.argv[1]), encode(rate, written | {"mood": "glad"})
found = decode_batch(rate, [first, second])
print(json.dumps({
    "moods": [one.document["mood"] for one in found],
    "registry": [one.schema_id for one in contracts()["finance.rate.v1-value"]],
    "known": by_schema_id(109) is by_schema_id(1109) is rate,
}))
"""
WRITE = """
from schemas.catalogue import DOCUMENTS
from schemas.codec import encode
from tests.schemas.plain import from_plain

rate = DOCUMENTS["rate"]
print(encode(rate, from_plain(rate, rate.golden()["valid"][0])).hex())
"""


class Checkout:
    """A copy of the folder ``schemas`` that comes before that of the tests."""

    def __init__(self, folder: Path, *, released: bool = False) -> None:
        self.schemas = folder / "schemas"
        shutil.copytree(str(files("schemas")), self.schemas)
        if not released:
            shutil.rmtree(self.schemas / "released", ignore_errors=True)
            text = self.catalogue.read_text(encoding="utf-8")
            self.catalogue.write_text(text.replace("released: true", "released: false"))
        self._environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}

    @property
    def catalogue(self) -> Path:
        return self.schemas / "catalogue.yaml"

    def change(self, **changed: Any) -> None:
        """Change the contract of rates."""
        path = self.schemas / "avro" / f"{NAME}.avsc"
        schema = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(schema | changed, indent=2), encoding="utf-8")

    def fields(self) -> list[Any]:
        path = self.schemas / "avro" / f"{NAME}.avsc"
        return list(json.loads(path.read_text(encoding="utf-8"))["fields"])

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.schemas, env=self._environment, capture_output=True, text=True
        )

    def headrace(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(*COMMAND, "schemas", *arguments)

    def python(self, script: str, *arguments: str) -> str:
        done = self.run(COMMAND[0], "-P", "-c", script, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_second_version_is_released_checked_and_read_beside_the_first(checkout: Checkout) -> None:
    assert checkout.headrace("release", NAME).stdout == f"{NAME}: version 1\n"
    first = checkout.python(WRITE)
    assert first.startswith("000000006d")
    checkout.change(fields=[*checkout.fields(), MOOD])
    checked = checkout.headrace("check")
    assert (checked.returncode, f"{NAME} differs from version 1" in checked.stdout) == (1, True)
    assert checkout.headrace("release", NAME).stdout == f"{NAME}: version 2\n"
    checked = checkout.headrace("check", "--json")
    answer = json.loads(checked.stdout)
    assert (answer["released"], answer["problems"]) == (1, []), checked.stderr
    topics = yaml.safe_load(checkout.catalogue.read_text(encoding="utf-8"))["topics"]
    assert [one["schema_id"] for one in topics if one["name"] == NAME] == [1109]
    assert json.loads(checkout.python(READ_BOTH, first)) == {
        "moods": [None, "glad"],
        "registry": [109, 1109],
        "known": True,
    }


def test_what_an_earlier_version_could_not_read_is_refused_in_a_sentence(
    checkout: Checkout,
) -> None:
    checkout.headrace("release", NAME)
    checkout.change(fields=[*checkout.fields(), {"name": "mood", "type": "string"}])
    refused = checkout.headrace("release", NAME)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "cannot read version 1: at /mood the writer lacks the field" in refused.stderr
    assert not (checkout.schemas / "released" / NAME / "2.avsc").exists()


def test_check_fails_where_a_released_file_was_changed_by_hand(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, released=True)
    assert checkout.headrace("check").returncode == 0
    kept = checkout.schemas / "released" / NAME / "1.avsc"
    kept.write_text(kept.read_text(encoding="utf-8").replace("rate", "Rate", 1), encoding="utf-8")
    checked = checkout.headrace("check")
    assert checked.returncode == 1
    assert f"{NAME}/1.avsc was changed after its release" in checked.stdout
