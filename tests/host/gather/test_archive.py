"""What was kept, given out and erased: export, report, prune, forget."""

import csv
import io
import json
import re
import subprocess
import sys

import pytest
from pulseweave.gather import erase, export
from pulseweave.gather.archive import span
from pulseweave.gather.record import Event
from pulseweave.gather.report import report
from pulseweave.gather.span import moment, utc
from pulseweave.gather.store import open_store
from pulseweave.problem import Problem
from test_store import T, state


@pytest.fixture
def evening(store):
    """Three nodes, four touches, one event, a gap of five."""
    for node in (1, 2):
        store.write([state(node, n, n < 150, arousal=51 * (n < 150)) for n in range(200)])
    store.write([state(3, n, 20 <= n < 60 or n >= 80) for n in range(200) if not 100 <= n < 105])
    store.write([(T + 5000, Event(1, 77, 7, 5000, 1, b"\x02\x14"))])
    return store


END = T + 10**6


def test_csv_has_units_and_every_row(evening):
    out = io.StringIO()
    assert export.write_csv(out, evening, "states", T, END) == 595
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(rows) == 595 and set(rows[0]) == set(export.STATES)
    first = rows[0]
    assert (
        first["time_utc"] == utc(T)
        and first["arousal_0_1"] == "0.2"
        and first["touched"] == "1"
        and first["visitor"]
    )
    last = rows[-1]
    assert last["visitor"] or last["touched"] == "0"
    assert {r["rssi_dBm"] for r in rows} == {"-60"}
    out = io.StringIO()
    export.write_csv(out, evening, "events", T, END)
    assert out.getvalue().splitlines()[1].endswith("1,0,77,scene,532")


def test_json_and_parquet_say_the_same(evening, tmp_path):
    out = io.StringIO()
    n = export.write_json(out, evening, "states", T, T + 30_000)
    body = json.loads(out.getvalue())
    assert len(body["rows"]) == n > 150 and list(body["columns"]) == list(export.STATES)
    import pyarrow.parquet as pq

    path = tmp_path / "x.parquet"
    assert export.write_parquet(path, evening, "states", T, T + 30_000) == n
    table = pq.read_table(path)
    assert [list(row.values()) for row in table.to_pylist()] == body["rows"]
    assert b"trusted" in table.schema.field("confidence_0_1").metadata[b"meaning"]
    assert table.schema.field("touched").type == "bool"


def test_the_room_by_the_second(evening):
    out = io.StringIO()
    n = export.write_csv(out, evening, "room", T, END)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert 85 <= n == len(rows) <= 91 and sum(int(r["packets"]) for r in rows) == 595


def test_everything_means_everything_of_its_kind(evening):
    """The newest event came after the newest version."""
    late = T + 10**7
    evening.write([(late, Event(1, 78, 7, 5000, 1, b"\x02\x14"))])
    assert span(evening, None, None, "events") == (T + 5000, late + 1)
    assert span(evening, None, None)[1] < late
    assert span(evening, None, None, "firmware") == span(evening, None, None)


def test_the_report_needs_nothing_else(evening):
    text = report(evening, T, END, "Opening <night>")
    assert "Opening &lt;night&gt;" in text and text.count("<svg") == 3
    assert not re.search(r"https?://|<script|src=|href=", text), "self-contained"
    assert (
        "595 versions kept of 4 touches. Since this store began 5 were missed" in text and "scene 532" in text
    )
    rows = re.findall(r"<tr><td>(\d+)<td>(\d+)<td>(\d+)<td>(\d+)<td>", text)
    assert rows == [("1", "200", "0", "1"), ("2", "200", "0", "1"), ("3", "195", "5", "2")]


def test_prune_erases_and_does_not_count_as_missed(evening):
    before = T + 50 * 450
    n = erase.prune(evening, before)
    counts = evening.counts()
    assert n == 150 and counts["packets"] == 445 and counts["missed"] == 5 and counts["first_ms"] >= before
    assert counts["events"] == 0
    assert counts["visitors"] == 4
    erase.prune(evening, T + 300 * 450)
    counts = evening.counts()
    assert counts["packets"] == 0 and counts["missed"] == 5 and counts["visitors"] == 1, "one is still there"
    evening.write([state(1, n) for n in range(300, 310)])
    assert evening.counts()["missed"] == 5 + 100


def test_forget_a_visitor(evening):
    visitor, other = (
        v for (v,) in evening.db.all("select visitor from visits where node = 3 order by from_n")
    )
    sums = sum(r[1] for r in evening.curve(T, END))
    assert erase.forget_visitor(evening, visitor) == 40
    counts = evening.counts()
    assert counts["packets"] == 555 and counts["missed"] == 5 and counts["visitors"] == 3
    assert evening.db.one("select count(*) from states where visitor = ?", (other,)) == 115
    assert sum(r[1] for r in evening.curve(T, END)) == sums - 40, "the room's curve forgets as well"
    assert erase.forget_visitor(evening, visitor) == -1


def test_forget_a_node(evening):
    evening.write((), outbox=[("h", 1, json.dumps({"packets": [[1, 0, 5, 9], [3, 0, 6, 9]]}))])
    assert erase.forget_node(evening, 3) == 195
    assert evening.counts()["packets"] == 400 and evening.counts()["missed"] == 0
    assert json.loads(evening.db.one("select payload from outbox"))["packets"] == [[1, 0, 5, 9]]
    assert erase.forget_node(evening, 99) == -1
    evening.write([state(3, n) for n in range(300, 320)])  # it goes on: nothing of before comes back
    assert evening.counts()["packets"] == 420 and evening.counts()["missed"] == 0


def test_another_process_forgets_while_we_write(url):
    a, b = open_store(url), open_store(url)
    a.write([state(1, n) for n in range(50)])
    visitor = a.db.one("select visitor from visits")
    assert erase.forget_visitor(b, visitor) == 50
    a.write([state(1, n) for n in range(50, 60)])
    assert a.db.one("select count(*) from states where visitor = ?", (visitor,)) == 0, (
        "a forgotten number stays forgotten"
    )
    a.close()
    b.close()


def test_what_is_forgotten_is_gone_from_the_file(tmp_path):
    s = open_store(str(tmp_path / "room.db"))
    s.write([state(1, n, arousal=173, fast=211) for n in range(500)])
    needle = bytes((173, 0, 211))
    erase.forget_node(s, 1)
    s.close()
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert data.count(needle) < 3 and len(data) < 200_000, file


def test_times_as_people_write_them():
    assert moment("2026-11-22T20:30:00Z", "--from") == 1_795_379_400_000
    assert moment("2026-11-22T20:30:00+01:00", "--from") == 1_795_375_800_000
    assert moment("now", "--to") - moment("-2h", "--from") == pytest.approx(7_200_000, abs=2000)
    for wrong in ("yesterday", "-2", "-99999999999h", "-999999w", "", "2026-13-01"):
        with pytest.raises(Problem, match="write 2026"):
            moment(wrong, "--from")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("export", "--db", "{}/none.db"), "no such store", 2),
        (("export", "--db", "{}/empty.db"), "nothing has been gathered", 2),
        (("export", "--db", "{}/room.db", "--from", "now", "--to", "-1h"), "exchange", 2),
        (("export", "--db", "{}/room.db", "--format", "parquet"), "add --out", 2),
        (("export", "--db", "{}/room.db", "--out", "/no/such/file"), "choose another", 2),
        (("report", "--db", "{}/room.db", "--out", "/no/such/file"), "choose another", 2),
        (("prune", "--db", "{}/room.db", "--before", "soon"), "write 2026", 2),
        (("forget", "--db", "{}/room.db", "me"), "give a node's number", 2),
        (("forget", "--db", "{}/room.db", "4711"), "no such node", 1),
        (("forget", "--db", "{}/room.db", "1"), "packets erased", 0),
    ],
)
def test_commands_in_one_line(arguments, words, code, tmp_path):
    open_store(str(tmp_path / "empty.db")).close()
    s = open_store(str(tmp_path / "room.db"))
    s.write([state(1, n) for n in range(50)])
    s.close()
    done = subprocess.run(
        [sys.executable, "-m", "pulseweave", *(a.format(tmp_path) for a in arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == code and words in done.stderr and "Traceback" not in done.stderr, done.stderr
