"""Stores and servers for the gathering's tests; servers that the machine lacks skip their tests, or fail a strict run."""

import signal
import tempfile
from pathlib import Path

import pytest
from ports import missing
from pulseweave.gather.store import open_store
from servers import Mosquitto, Postgres, mosquitto, postgres_missing
from towers import STARTED, Tower


@pytest.fixture(scope="session")
def postgres_server():
    """In a folder of its own: pytest's are private to whoever runs it, and the server is another user."""
    if why := postgres_missing():
        missing(why)
    with tempfile.TemporaryDirectory(prefix="pulseweave-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder)).start()
        yield server
        server.stop()


@pytest.fixture
def postgres_url(postgres_server):
    """A database of its own; where the last test killed the server and failed, it is started again."""
    import psycopg

    if not postgres_server.process:
        postgres_server.start()
    name = f"room{postgres_server.port}_{next(NUMBERS)}"
    with psycopg.connect(postgres_server.url, autocommit=True) as c:
        c.execute(f"create database {name}")
    return postgres_server.url.rpartition("/")[0] + "/" + name


NUMBERS = iter(range(10_000))


@pytest.fixture
def broker(tmp_path_factory):
    if not mosquitto():
        missing("no MQTT broker: apt-get install mosquitto")
    server = Mosquitto(tmp_path_factory.mktemp("mosquitto")).start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """A store's URL, once for each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'room.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url):
    s = open_store(url)
    yield s
    s.close()


@pytest.fixture
def towers():
    made = []

    def make(*arguments, **kw):
        made.append(Tower(*arguments, **kw))
        return made[-1]

    yield make
    for t in made:
        t.stopping = True
        t.join(5)


@pytest.fixture(autouse=True)
def ended():
    """Whatever a failing test has left running is ended."""
    yield
    while STARTED:
        STARTED.pop().stop(signal.SIGKILL)
