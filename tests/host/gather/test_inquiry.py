"""Who runs which firmware and what crashed there: asked once, told apart, kept, shown; never a free text in the store."""

import base64
import json

import pytest
from pulseweave import serial_link as link
from pulseweave.firmware import Firmware, understood
from pulseweave.gather import export
from pulseweave.gather.collector import Collector
from pulseweave.gather.gateway import Gateway
from pulseweave.gather.inquiry import CRASH, OTHER, RENEW_S, STATUS, Inquiry, Told
from pulseweave.gather.record import State, encode
from pulseweave.gather.room import firmware
from pulseweave.gather.store import open_store
from pulseweave.mesh.chart import Chart
from test_gather import run, simulation  # noqa: F401

from running import eventually  # isort: skip

NOTE = {"boot": 3, "part": "light", "marks": "ab", "text": "ValueError: 5"}


def state(node: int, serial: int = 1, epoch: int = 7) -> State:
    return State(node, serial, epoch, 1000, 50, 60, 180, 12, 1, -60)


@pytest.mark.parametrize(
    ("said", "node", "known"),
    [
        ("12 3f9a2c81 esp32-devkit\n", 12, Firmware("esp32-devkit", "3f9a2c81")),
        ("12 None virtual\n", 12, Firmware("virtual", "")),
        ("12 3f9a2c81 virtual\n3 light ab: ValueError: 5\n", 12, Firmware("virtual", "3f9a2c81", (NOTE,))),
    ],
)
def test_answers_are_understood(said, node, known):
    assert understood(said) == (node, known)


@pytest.mark.parametrize(
    "said",
    ["", "none", "3 boot ab: watchdog\n", "\x00\x11links", "1 " + "a" * 300 + " b\n", "12 zz virtual\n"],
)
def test_what_is_none_is_not(said):
    assert understood(said) is None


def test_who_runs_something_else_is_told_apart_by_kind_of_board():
    told = Told()
    for node, board, release in (
        (1, "a", "11"),
        (2, "a", "11"),
        (3, "a", "22"),
        (4, "b", "33"),
        (5, "a", ""),
    ):
        told.hear(node, Firmware(board, release))
    assert told.odd() == {3: "11"}
    columns = firmware(told, [3, 4, 6])
    assert columns == {
        "release": ["22", "33", ""],
        "board": ["a", "b", ""],
        "odd": ["11", "", ""],
        "notes": [[], [], []],
    }


def decoded(line: bytes) -> bytes:
    return base64.b64decode(line[1:]) if line.startswith(b"@") else b""


def test_everybody_is_asked_once_and_again_after_a_restart():
    told = Told()
    a, b = Inquiry(told), Inquiry(told)
    for node in (1, 2, 3):
        a.heard(state(node))
        b.heard(state(node))
    asked, now = [], 0.0
    for _ in range(12):
        now += 3
        for inquiry, own in ((a, 1), (b, 2)):
            asked += [
                (own, decoded(line)[2:-4].decode()) for line in inquiry.wants(own, now).split(b"\n") if line
            ]
        for node in (1, 2, 3):
            told.hear(node, Firmware("virtual", "aa"))
    others = [(own, text) for own, text in asked if text not in ("crash 1", "crash 2") or own == 0]
    assert [t for _, t in others].count("crash 3") == 1, asked
    assert len(asked) <= 7, asked
    assert not a.wants(1, now + 3) and not b.wants(2, now + 3)
    a.heard(state(3, epoch=8))
    assert b"crash 3" in decoded(a.wants(1, now + 9).strip())
    assert b.wants(2, now + RENEW_S + 99)


def test_a_gateway_asks_between_its_records_and_hears_the_answers():
    told = Told()
    g = Gateway("test")
    g.inquiry = Inquiry(told)

    def answer(number: int, body) -> list:
        payload = bytes((number, 1)) + json.dumps(body).encode()
        return list(g.feed(link.encode_frame(link.ANSWER, 0, payload), 0))

    assert b"gateway" in decoded(g.wants(0).strip())
    answer(77, {"node": 1, "epoch": 65537, "next": 0, "mesh_ms": 5})
    g.wants(1)
    for k, node in enumerate((2, 3)):
        list(g.feed(link.encode_frame(link.GATEWAY, 0, bytes((0, k)) + encode(state(node))), 0))
    assert [decoded(line)[2:-4] for line in g.wants(1.5).split()] == [b"status", b"crash"]
    answer(STATUS, {"release": "0123456789abcdef", "board": "virtual"})
    answer(CRASH, [{**NOTE, "up_s": 4}])
    assert told.known[1].row() == ("virtual", "01234567", 1)
    answer(OTHER, {"notes": "2 None virtual\n"})
    answer(OTHER, {"error": "no text"})
    answer(OTHER, [1, 2])
    answer(STATUS, "?")
    assert told.known[2] == Firmware("virtual", "") and set(told.known) == {1, 2}


def test_what_changed_is_kept_and_exported_but_no_words_of_a_note(tmp_path):
    store = open_store(str(tmp_path / "room.db"))
    c = Collector(store)
    secret = {**NOTE, "text": "pulse 2047 2051 2049"}
    c.told.hear(4, Firmware("virtual", "aa", (secret,)))
    c.flush()
    c.told.hear(4, Firmware("virtual", "aa", (secret,)))  # the same again
    c.flush()
    c.told.hear(4, Firmware("virtual", "bb"))
    c.flush()
    assert [r[2:] for r in store.db.all("select * from firmware order by release")] == [
        ("virtual", "aa", 1),
        ("virtual", "bb", 0),
    ]
    assert store.firmware() == {4: ("virtual", "bb", 0)}
    (rows,) = export.rows(store, "firmware", 0, 1 << 60)
    assert [row[1:] for row in rows] == [(4, "virtual", "aa", 1), (4, "virtual", "bb", 0)]
    store.close()
    assert b"2047" not in b"".join(p.read_bytes() for p in tmp_path.iterdir())


def test_a_chart_knows_who_runs_what():
    chart = Chart()
    chart.table([{"node": n, "age": 0, "version": 1, "rssi": 0} for n in (1, 2, 3)])
    for s in chart.stations.values():
        s.told = 1.0
    assert chart.unknown() == [1, 2, 3]
    for n, release in ((1, "aa"), (2, "aa"), (3, "bb")):
        chart.runs(n, "virtual", release)
    assert not chart.unknown() and chart.odd() == {3: "aa"}
    assert [(n["release"], n["odd"]) for n in chart.document()["nodes"]] == [
        ("aa", False),
        ("aa", False),
        ("bb", True),
    ]


def test_a_simulated_room_tells_its_firmware_through_the_mesh(run, tmp_path):  # noqa: F811
    from pulseweave.sim.plan import source

    where = simulation(run)
    run("gather", "--sim", where, "--db", f"sqlite:///{tmp_path / 'room.db'}", "--web", "off")
    store = eventually(
        lambda: (tmp_path / "room.db").exists() and open_store(f"sqlite:///{tmp_path / 'room.db'}"), 20
    )
    eventually(lambda: len(store.firmware()) == 8, 90)
    assert {row[1] for row in store.firmware().values()} == {source()}
    store.close()


def test_the_command_exports_it(tmp_path):
    from click.testing import CliRunner
    from pulseweave.gather.archive import export as command

    store = open_store(str(tmp_path / "room.db"))
    store.write([(1_790_000_000_000, state(4))], firmware=[(4, 1_790_000_000_000, "virtual", "aa", 0)])
    store.close()
    said = CliRunner().invoke(
        command, ["--db", str(tmp_path / "room.db"), "--table", "firmware"], catch_exceptions=False
    )
    assert (
        said.exit_code == 0
        and "time_utc,node,board,release,crash_notes" in said.output
        and ",4,virtual,aa,0" in said.output
    )
