"""Real servers for tests, each in its own folder on a free port of 127.0.0.1: PostgreSQL and Mosquitto."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from ports import PATIENCE


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def reachable(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


def await_port(port: int, process: subprocess.Popen, log: Path, seconds=20.0) -> None:
    end = time.monotonic() + seconds * PATIENCE
    while not reachable(port):
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.05)


class Server:
    """A process that can be killed and started again on its folder and port."""

    process: subprocess.Popen | None = None

    def __init__(self, folder: Path):
        self.folder, self.port, self.log = folder, free_port(), folder / "log"

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        await_port(self.port, self.process, self.log)
        return self

    def kill(self) -> None:
        """The plug, not the switch: SIGKILL for the server and its children."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None


def postgres_bin() -> Path | None:
    """Folder of initdb and postgres: PULSEWEAVE_POSTGRES, PATH, or where Debian puts them."""
    named = os.environ.get("PULSEWEAVE_POSTGRES")
    if named:
        return Path(named)
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def postgres_missing() -> str | None:
    where = postgres_bin()
    if not where or not (where / "initdb").exists():
        return "no PostgreSQL server: apt-get install postgresql"
    if os.getuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "no user postgres, and initdb refuses root: apt-get install postgresql"
    return None


class Postgres(Server):
    """initdb once, then start and kill at will."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.bin = postgres_bin()
        self.user: list[str] = []
        self.name = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            self.user, self.name = (
                ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"],
                "postgres",
            )
            shutil.chown(folder, "postgres", "postgres")
        done = subprocess.run(
            [*self.user, self.bin / "initdb", "-D", folder / "data", "-A", "trust", "-E", "UTF8", "--no-sync"],
            capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    @property
    def url(self) -> str:
        return f"postgresql://{self.name}@127.0.0.1:{self.port}/postgres"

    def command(self):
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        return [*self.user, str(self.bin / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
                "-h", "127.0.0.1", "-k", ""]  # fmt: skip

    def start(self):
        super().start()
        import psycopg

        end = time.monotonic() + 20 * PATIENCE
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return self
            except psycopg.OperationalError:
                assert time.monotonic() < end, self.log.read_text()[-2000:]
                time.sleep(0.1)


def mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto(Server):
    """A broker that keeps what it has acknowledged."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        (folder / "data").mkdir()
        (folder / "conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder / 'data'}/\nautosave_on_changes true\nautosave_interval 1\n"
            "max_queued_messages 0\nuser root\n"
        )

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def command(self):
        return [mosquitto() or "mosquitto", "-c", str(self.folder / "conf")]
