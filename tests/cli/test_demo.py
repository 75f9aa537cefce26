"""``headrace demo`` makes a plant, reads it, and tells of it what its truth says."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ops.touring import Scene, Story, one_of_each, read_stories, story_text
from tests.cli.shop import COMMAND, environment, running_in
from tests.oracle.asking import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


def test_the_demo_counts_what_the_plant_holds_and_what_it_prints_can_be_typed(
    data_folder: Path,
) -> None:
    # What is set for a real hub must not reach the demo.
    around = {**environment(), "PYTHONPATH": str(ROOT), "HEADRACE_DATABASE": "elsewhere"}
    demo = subprocess.run(
        [*COMMAND, "demo", "--exit", "--customers", "30"],
        cwd=data_folder,
        env=around,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert demo.returncode == 0, demo.stderr
    assert "Traceback" not in demo.stderr
    assert running_in(data_folder) == []

    plant = data_folder / "var" / "demo" / "plant"
    rejects = len((plant / "truth" / "rejects.jsonl").read_text(encoding="utf-8").splitlines())
    assert rejects
    assert f"{rejects:,} records were broken on purpose; {rejects:,} dead letters" in demo.stdout
    stories = one_of_each(read_stories(plant))
    assert {story.kind for story in stories} == {"late_payment", "sale", "lost_customer"}
    for story in stories:
        assert story.title.split(":")[0] in demo.stdout
    assert "not in the hub" not in demo.stdout

    status, document = _typed(demo.stdout, data_folder)
    assert {
        name: (one["count"], one["cancelled"])
        for name, one in status["documents"].items()
        if one["count"]
    } == _totals(plant)
    assert document["source"]


def _typed(printed: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Type the commands that the demo printed; return the status and the first scene's document."""
    lines = [line.strip() for line in printed.splitlines()]
    place = lines.index("Look further, in another terminal:")
    export, *asks = lines[place + 1 : place + 6]
    answers = []
    for line in asks:
        done = subprocess.run(
            ["sh", "-c", f"{export} && {line} --json"],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    return answers[0], answers[-1]["rows"][0]


def _totals(plant: Path) -> dict[str, tuple[int, int]]:
    text = (plant / "truth" / "totals.jsonl").read_text(encoding="utf-8")
    totals = [json.loads(line) for line in text.splitlines()]
    return {one["type"]: (one["count"], one["cancelled"]) for one in totals}


def test_a_document_of_a_story_that_the_hub_lacks_is_said_so() -> None:
    story = Story("sale", "A sale", (Scene("order", "erp|1", "It was ordered."),))
    printed = io.StringIO()
    Console(file=printed, width=120).print(story_text(1, story, {}))
    assert "not in the hub" in printed.getvalue()
