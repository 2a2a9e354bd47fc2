"""`pulseweave mesh`: the chart from answers, from a running simulation, from virtual boards; its page; what can go wrong."""

import io
import json
import re
import struct
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from pulseweave.mesh.chart import Chart
from pulseweave.mesh.page import MapPage
from pulseweave.mesh.table import screen
from pulseweave.network import Network
from pulseweave.sim.plan import source
from rich.console import Console

COMMAND = [sys.executable, "-m", "pulseweave"]


def rows(*nodes, rssi=-50):
    return [
        {"node": n, "age": 400 * k, "version": 10 + k, "rssi": rssi if k else 0} for k, n in enumerate(nodes)
    ]


def links(node, *heard, root=1, hops=1, rate=-12, error=-128):
    return struct.pack(">HHBhi", node, root, hops, rate, error) + b"".join(
        struct.pack(">HB", n, -dbm) for n, dbm in heard
    )


def charted() -> Chart:
    clock = iter(range(100))
    chart = Chart(clock=lambda: next(clock))
    chart.table(rows(1, 2, 3))
    chart.links(links(2, (1, -52), (3, -88), hops=1))
    return chart


def test_a_chart_of_tables_and_links():
    chart = charted()
    assert chart.own == 1 and chart.heard() == [(1, 2, -50), (1, 3, -50), (2, 1, -52), (2, 3, -88)]
    two = chart.document()["nodes"][1]
    assert two["offset_ms"] == -0.5 and two["rate_ppm"] == -12 and two["root"] == 1 and two["version"] == 11
    assert two["hears"] == [{"node": 1, "rssi": -52}, {"node": 3, "rssi": -88}]
    assert chart.untold() == [1, 3]
    assert chart.links(b"") == 0 and chart.links(links(9)) == 0 and chart.links(links(2)[:-1]) == 0
    chart.table(rows(1, 3))  # node 2 was lost
    assert sorted(chart.stations) == [1, 3]


def test_everybody_is_asked_in_turn_and_nobody_twice_in_a_row():
    chart = charted()
    asked, last = [], 0
    for _ in range(6):
        last = chart.next(last)
        asked.append(last)
        chart.links(links(asked[-2]) if len(asked) > 1 else b"")  # answers come with the next question
    assert asked == [1, 3, 2, 1, 3, 2], asked


def test_the_screen_fits_and_says_who_has_not_told():
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(screen(charted(), 80, "port"))
    text = console.export_text()
    assert "3 nodes, 4 links, 2 yet to tell" in text and "row hears column" in text and "-88" in text
    assert max(map(len, text.splitlines())) <= 80
    big = Chart()
    big.table(rows(*range(1, 41)))
    console.print(screen(big, 80, "port"))
    text = console.export_text()
    assert "best heard" in text and max(map(len, text.splitlines())) <= 80


def simulation(nodes=5):
    sim = subprocess.Popen(
        [*COMMAND, "sim", "calm", "--nodes", str(nodes), "--workers", "1", "--web", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in sim.stdout:
        if found := re.search(r"http://(\S+?)/", line):
            return sim, found[1]
    raise AssertionError("no page")


def test_a_running_simulation():
    sim, where = simulation()
    try:
        for _ in range(4):
            done = subprocess.run(
                [*COMMAND, "mesh", "--sim", where, "--json", "-"], capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, done.stderr
            nodes = json.loads(done.stdout)["nodes"]
            assert [n["node"] for n in nodes] == [1, 2, 3, 4, 5]
            for n in nodes:
                assert n["release"] == source() and not n["odd"]
                assert {h["node"] for h in n["hears"]} == {1, 2, 3, 4, 5} - {n["node"]}
                assert all(-95 < h["rssi"] < -10 for h in n["hears"]) and n["age_s"] < 5
            if len({n["root"] for n in nodes}) == 1 and all(abs(n["offset_ms"]) < 10 for n in nodes):
                break  # clocks agree some seconds after the start
        else:
            raise AssertionError(nodes)
        # where nobody could see it live, in a pipe, it is one look
        done = subprocess.run([*COMMAND, "mesh", "--sim", where], capture_output=True, text=True, timeout=90)
        assert done.returncode == 0 and "5 nodes" in done.stdout, (done.stdout, done.stderr)
        # one who is there when the room goes away says so in one line
        watching = subprocess.Popen(
            [*COMMAND, "mesh", "--port", f"sim://{where}/2", "--seconds", "90"],
            stderr=subprocess.PIPE,
            text=True,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            watching.wait(6)
    finally:
        sim.terminate()
        sim.communicate(timeout=30)
    _, said = watching.communicate(timeout=60)
    assert watching.returncode == 2 and said.count("\n") == 1 and "vanished" in said, said


def test_two_virtual_boards(tmp_path):
    Network.create("test").save(tmp_path / "net.json")
    boards = [
        subprocess.Popen(
            [*COMMAND, "virtual-board", "--board", "virtual", "--dir", tmp_path / f"b{i}", "--air",
             tmp_path / "air", "--network", tmp_path / "net.json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for i in range(2)
    ]  # fmt: skip
    try:
        ports = [b.stdout.readline().strip() for b in boards]
        for _ in range(6):  # boards take a few seconds to start and to find each other
            done = subprocess.run(
                [*COMMAND, "mesh", "--port", ports[0], "--json", tmp_path / "map.json"],
                capture_output=True,
                text=True,
                timeout=120,
            )
            if done.returncode == 0:
                nodes = json.loads((tmp_path / "map.json").read_text())["nodes"]
                if len(nodes) == 2 and all(len(n["hears"]) == 1 for n in nodes):
                    assert all(n["board"] == "virtual" and not n["odd"] for n in nodes), nodes
                    break
        else:
            raise AssertionError(done.stderr)
        assert nodes[0]["hears"][0]["node"] == nodes[1]["node"]
    finally:
        for b in boards:
            b.terminate()
            b.communicate(timeout=30)


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["--port", "/dev/nothing"], "no such port"),
        (["--port", "/dev/null"], "not a serial port"),
        (["--port", "socket://127.0.0.1:9"], "nobody listens there"),
        (["--port", "sim://127.0.0.1:9/1"], "no simulation"),
        (["--port", "/dev/nothing", "--sim", "127.0.0.1:9"], "exclude each other"),
        (["--port", "/dev/nothing", "--json", "/no/such/folder/x.json"], "--json"),
        (["--port", "/dev/nothing", "--web", "0.0.0.0:8090"], "for this machine"),
        (["--port", "/dev/nothing", "--web", "nonsense"], "HOST:PORT"),
        (["--port", "/dev/nothing", "--web", "127.0.0.1:\u00b2"], "HOST:PORT"),
    ],
)
def test_bad_input_is_one_line(arguments, said):
    done = subprocess.run([*COMMAND, "mesh", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_busy_port_is_one_line(tmp_path):
    import os
    import pty

    from pulseweave import ports

    _, follower = pty.openpty()
    name = os.ttyname(follower)
    with ports.Claim(name, "deploy"):
        done = subprocess.run([*COMMAND, "mesh", "--port", name], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "in use by pulseweave deploy" in done.stderr, done.stderr


def test_the_page_is_for_this_machine():
    with MapPage("127.0.0.1:0", charted().document) as page:
        with urllib.request.urlopen(page.url + "chart", timeout=10) as answer:
            assert json.load(answer)["node"] == 1
        with urllib.request.urlopen(page.url, timeout=10) as answer:
            assert b"Who hears whom" in answer.read()
        request = urllib.request.Request(page.url + "chart", headers={"Host": "elsewhere.example"})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10)
