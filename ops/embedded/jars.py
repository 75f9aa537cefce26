"""Apache Kafka's jars: resolved once per user, checked against known digests, shared by hubs."""

import fcntl
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import yaml

from hub.settings import cache_folder
from ops.embedded.server import ServerFailed

KAFKA_VERSION = "4.3.1"
_ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
# Without this binding the broker writes no log. It is fetched by itself: resolved together with
# Kafka, its dependency management would take kafka-clients of another version.
_LOG_BINDING = ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4")
_TRIES = 3
_REPORT_SECONDS = 1.0

Report = Callable[[str], None]


class JarsUnavailable(ServerFailed):
    """Kafka's jars could not be fetched, or are not the ones that we know."""


def kafka_class_path(report: Report | None = None) -> list[Path]:
    """All of Kafka's jars, fetched into the cache if they aren't there.

    Args:
        report: is told of the progress of a download.

    Raises:
        JarsUnavailable: they could not be fetched, or one has another digest than it should.
    """
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _fetch(folder, report or _silent)
    return sorted(folder.rglob("*.jar"))


def known_digests() -> dict[str, str]:
    """SHA-256 of each jar by its file name."""
    text = files(__package__).joinpath("kafka_jars.yaml").read_text(encoding="utf-8")
    digests: dict[str, str] = yaml.safe_load(text)
    return digests


def _fetch(folder: Path, report: Report) -> None:
    aside = folder.with_suffix(".partial")
    shutil.rmtree(aside, ignore_errors=True)
    expected = known_digests()
    with _watched(aside, len(expected), report):
        environment = _resolved(aside)
    found = {path.name: path for path in environment.rglob("*.jar")}
    for name, digest in expected.items():
        if name not in found:
            raise JarsUnavailable(f"{name} did not come with Kafka {KAFKA_VERSION}")
        if hashlib.sha256(found[name].read_bytes()).hexdigest() != digest:
            raise JarsUnavailable(
                f"{name} has another content than the one we know: is a repository tampered with?"
                f" Nothing of it was kept; look at {found[name]}"
            )
    for name in set(found) - set(expected):
        found[name].unlink()
    environment.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)
    report(f"Kafka {KAFKA_VERSION}: {len(expected)} jars are in {folder}")


def _resolved(aside: Path) -> Path:
    """The folder that jgo made; it puts what it takes for Java modules into modules/."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext

    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    context = MavenContext(repo_cache=aside / "repository", remote_repos=repositories, timeout=60)
    builder = EnvironmentBuilder(context, aside / "environments", LinkStrategy.COPY)
    for attempt in range(1, _TRIES + 1):
        try:
            folder = Path(builder.from_endpoint(_ENDPOINT, main_class="kafka.Kafka").path)
            group, artifact, version = _LOG_BINDING
            binding = context.project(group, artifact).at_version(version).artifact().resolve()
            shutil.copy(binding, folder / "jars")
            return folder
        except Exception as error:
            if attempt == _TRIES:
                raise JarsUnavailable(
                    f"Kafka {KAFKA_VERSION} could not be fetched from Maven Central: {error}."
                    " Is there a network? Or set kafka: in headrace.yaml to a cluster"
                ) from error
    raise AssertionError("unreachable")


@contextmanager
def _watched(folder: Path, expected: int, report: Report) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_REPORT_SECONDS):
            jars = list((folder / "repository").rglob("*.jar"))
            megabytes = sum(jar.stat().st_size for jar in jars) / 1_000_000
            report(f"Kafka {KAFKA_VERSION}: {len(jars)} of {expected} jars, {megabytes:.0f} MB")

    watcher = threading.Thread(target=watch, name="jar-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _silent(_text: str) -> None:
    return None
