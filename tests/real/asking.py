"""``python -m tests.real.asking CONFIG``: several commands in one process, which saves minutes.

On standard input it takes a list of commands' arguments as JSON, and on standard output it gives
the list of what ``headrace ARGUMENTS --json`` says.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout

from ops.cli import app


def main() -> None:
    """Answer the questions."""
    answers = []
    for arguments in json.load(sys.stdin):
        said = io.StringIO()
        with redirect_stdout(said):
            app(
                [*arguments, "--json", "--config", sys.argv[1]],
                prog_name="headrace",
                standalone_mode=False,
            )
        answers.append(json.loads(said.getvalue()))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
