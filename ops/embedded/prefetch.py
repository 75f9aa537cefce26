"""``python -m ops.embedded.prefetch``: fetches Kafka's jars ahead, showing progress."""

import sys

from rich.console import Console

from ops.embedded.jars import JarsUnavailable, kafka_class_path


def main() -> int:
    """Fetch what isn't in the cache; returns the exit status."""
    console = Console(stderr=True)
    try:
        if console.is_terminal:
            with console.status("Kafka: looking for its jars") as status:
                jars = kafka_class_path(status.update)
        else:
            jars = kafka_class_path(lambda text: console.print(text, highlight=False))
    except JarsUnavailable as error:
        console.print(str(error), style="red", highlight=False)
        return 1
    console.print(f"Kafka's {len(jars)} jars are in {jars[0].parent.parent}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
