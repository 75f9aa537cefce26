"""The command starts at once, and says what it can do."""

from __future__ import annotations

import subprocess
import sys

from typer.testing import CliRunner

from ops.cli import app

HEAVY = ("faust", "aiokafka", "kafka", "sqlalchemy", "alembic", "fastavro", "pydantic", "psycopg")


def test_help_imports_nothing_heavy() -> None:
    script = f"""
import sys
from ops.cli import app
try:
    app(["--help"])
except SystemExit:
    pass
print("heavy:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.endswith("heavy: []\n"), done.stdout + done.stderr


def test_help_names_every_command_for_people_and_none_of_the_others() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    for command in ("up", "demo", "status", "lag", "show", "dead-letters", "rebuild", "sources"):
        assert f"│ {command} " in told
    for command in ("prepare", "worker", "relay", "connectors", "observer"):
        assert f"│ {command} " not in told
