"""What people and pages may write wrongly: each is one line, none is a traceback."""

import socket

import pytest
from click.testing import CliRunner
from pulseweave.gather import archive, export
from pulseweave.gather.command import gather, read_strands
from pulseweave.gather.store import open_store
from pulseweave.gather.store.db import Unavailable
from pulseweave.gather.store.postgres import Postgres
from pulseweave.gather.web.bench import Still
from pulseweave.gather.web.server import serve
from pulseweave.problem import Problem
from rows import T, state


def said(command, *arguments) -> str:
    done = CliRunner().invoke(command, arguments)
    assert isinstance(done.exception, Problem), repr(done.exception)
    return str(done.exception)


@pytest.mark.parametrize("who", ["²", "\uff11", "9" * 30, "0", "-1"])
def test_forget_takes_numbers(who, tmp_path):
    open_store(str(tmp_path / "room.db")).close()
    words = said(archive.forget, "--db", str(tmp_path / "room.db"), "--", who)
    assert "give a node's number" in words


@pytest.mark.parametrize(
    "where", ["pulseweave.gather.archive.open_store", "pulseweave.gather.store.open_store"]
)
def test_a_store_that_is_locked_at_the_start_is_said(where, monkeypatch):
    def locked(*_, **__):
        raise Unavailable("room.db: database is locked")

    monkeypatch.setattr(where, locked)
    command = archive.forget if "archive" in where else gather
    more = ("5",) if "archive" in where else ("--port", "x", "--web", "off")
    assert said(command, "--db", "room.db", *more) == "room.db: database is locked: try again"


def test_nothing_is_exported_to_parquet_as_well(store, tmp_path):
    store.write([state(1, 1)])
    for table in ("events", "firmware", "room"):
        path = tmp_path / f"{table}.parquet"
        assert export.write_parquet(path, store, table, T - 9000, T - 5000) == 0 and path.exists()


STRAND = "[[strand]]\nnode = 1\nx = 1\ny = 1\nz = "


@pytest.mark.parametrize(
    "text", ["strand = 5", "strand = 'x'", STRAND + "inf", STRAND + "nan", "[strand]\nnode = 1"]
)
def test_plans_that_cannot_be(text, tmp_path):
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(Problem, match="strand 1: "):
        read_strands(str(tmp_path / "plan.toml"))


def test_a_bracket_in_a_password():
    with pytest.raises(Problem, match="%5B"):
        Postgres("postgresql://me:[x@127.0.0.1/room")


def test_a_page_with_an_address_that_is_none_is_refused():
    with serve(Still(2, 5), port=0) as server:
        for heads in (b"Host: [", b"Host: 127.0.0.1\r\nOrigin: http://["):
            with socket.create_connection(("127.0.0.1", server.port), 5) as s:
                s.sendall(
                    b"GET /live HTTP/1.1\r\n" + heads + b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
                )
                assert s.recv(200).startswith(b"HTTP/1.1 403"), heads
