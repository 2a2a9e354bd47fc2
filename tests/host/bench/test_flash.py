"""flash: real esptool against a mock ROM per chip; what must not be written is not written."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from benchtools import pulseweave, until
from pulseweave import boards
from pulseweave.bench import esptool, images
from pulseweave.bench.flash import Flasher
from pulseweave.bench.ledger import Ledger
from pulseweave.figures.parts.mock_chip import MockChip, free_port
from pulseweave.figures.parts.mock_image import merged, segment
from pulseweave.problem import Problem

REAL = [n for n in boards.names() if boards.load(n).firmware]


def in_flash(chip: MockChip, at: int, data: bytes, tmp_path) -> bool:
    """Whether a mock's flash holds `data`, as esptool sees it."""
    (tmp_path / "want.bin").write_bytes(data)
    return not esptool.run(chip.port, "verify-flash", hex(at), str(tmp_path / "want.bin")).kind


@pytest.mark.parametrize("name", REAL)
def test_every_board_is_flashed_verified_and_not_twice(name, image, tmp_path):
    board = boards.load(name)
    file = image(board.chip)
    with MockChip(board.chip) as chip:
        arguments = ("flash", "--board", name, "--firmware", file, "--port", chip.port, "--json", "-")
        first = json.loads(pulseweave(*arguments).stdout)["boards"][0]
        assert (first["verdict"], first["mac"]) == ("ok", chip.mac)
        assert in_flash(chip, board.firmware.offset, file.read_bytes(), tmp_path)
        again = json.loads(pulseweave(*arguments).stdout)["boards"][0]
        assert again["verdict"] == "skipped"
    events = Ledger().events
    assert [e["verdict"] for e in events] == ["ok", "skipped"] and events[0]["firmware"] == images.load(
        file, board
    ).sha256


def test_wrong_chip_is_refused_before_a_byte_is_written(image, tmp_path):
    file = image("esp32")
    with MockChip("esp32c3") as chip:
        said = pulseweave(
            "flash", "--board", "esp32-devkit", "--firmware", file, "--port", chip.port, code=2
        ).stderr
        assert "wrong chip: this board has ESP32-C3" in said and "correct --board" in said
        assert in_flash(chip, 0x1000, b"\xff" * 64, tmp_path)
        said = pulseweave(
            "flash", "--board", "esp32-c3", "--firmware", file, "--port", chip.port, code=2
        ).stderr
        assert "this image is for esp32" in said and "--board esp32-devkit" in said


def test_a_chip_nobody_here_knows_is_refused(image, tmp_path):
    file = image("esp32")
    with MockChip("esp32c6") as chip:
        said = pulseweave(
            "flash", "--board", "esp32-devkit", "--firmware", file, "--port", chip.port, code=2
        ).stderr
        assert "wrong chip: this board has ESP32-C6" in said
    data = bytearray(file.read_bytes())
    data[12:14] = b"\x39\x30"
    file.write_bytes(data)
    with pytest.raises(Problem, match="for unknown chip 12345, board esp32-devkit has esp32"):
        images.load(file, boards.load("esp32-devkit"))


def test_a_damaged_image_is_refused(image, tmp_path, monkeypatch):
    board = boards.load("esp32-devkit")
    good = image("esp32").read_bytes()
    assert images.load(image("esp32"), board).chip == "esp32"
    bad = tmp_path / "bad.bin"
    for at in (30, 4000, 0x8000 - 0x1000 + 5, 0x10000 - 0x1000 + 30, len(good) - 1):  # each part of the file
        data = bytearray(good)
        data[at] ^= 4
        bad.write_bytes(data)
        with pytest.raises(Problem, match=r"damaged.*again"):
            images.load(bad, board)
    for cut in (100, 5000, 0x8000, len(good) - 10):
        bad.write_bytes(good[:cut])
        with pytest.raises(Problem, match="damaged"):
            images.load(bad, board)
    bad.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(Problem, match="unpack it first"):
        images.load(bad, board)
    with pytest.raises(Problem, match="cannot be read"):
        images.load(tmp_path / "none.bin", board)
    with pytest.raises(Problem, match="takes no firmware image"):
        images.load(image("esp32"), boards.load("virtual"))
    # the lock file: another file under a known name
    monkeypatch.setattr(images, "LOCK", tmp_path / "firmware.lock")
    file = image("esp32", name="ESP32_GENERIC-1.bin")
    images.pin(images.load(file, board), "1", tmp_path / "firmware.lock")
    assert images.load(file, board).known == "ESP32_GENERIC-1.bin"
    file.write_bytes(merged("esp32", seed=9))
    with pytest.raises(Problem, match=r"firmware\.lock knows"):
        images.load(file, board)


def test_a_part_of_an_image_is_refused(tmp_path):
    board = boards.load("esp32-devkit")
    part = tmp_path / "ESP32_GENERIC-1.app-bin"
    for size in (8000, 40000, 1_600_000):  # a bootloader; applications
        part.write_bytes(segment("esp32", size, 3))
        with pytest.raises(Problem, match=r"only a part.*take ESP32_GENERIC-\*\.bin"):
            images.load(part, board)
    row = 0x8000 - 0x1000
    for at, size in ((row, 0xC00), (row, 1), (row + 32, 1)):  # no table; no first row; no row of its sum
        data = bytearray(merged("esp32"))
        data[at : at + size] = b"\xff" * size
        part.write_bytes(data)
        with pytest.raises(Problem, match="no whole partition table"):
            images.load(part, board)


def test_what_is_pinned_can_be_read_again(image, tmp_path, monkeypatch):
    board, lock = boards.load("esp32-devkit"), tmp_path / "firmware.lock"
    monkeypatch.setattr(images, "LOCK", lock)
    file = image("esp32", name='été "1" \\.bin')
    images.pin(images.load(file, board), '1.26 "own build"', lock)
    assert (
        images.load(file, board).known == file.name
        and images.known()[file.name]["version"] == '1.26 "own build"'
    )
    with pytest.raises(Problem, match="not printable"):
        images.pin(images.load(file, board), "1\n", lock)


def test_a_file_with_an_odd_name_is_flashed_or_refused(image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-x.bin", "@x.bin", "0x1000"):
        image("esp32", name=name)
        with MockChip() as chip:
            pulseweave("flash", "--board", "esp32-devkit", f"--firmware={name}", "--port", chip.port)
    for name in (b"\xff.bin", b"a\nb.bin"):
        image("esp32", name=os.fsdecode(name))
        said = pulseweave(
            "flash", "--board", "esp32-devkit", "--firmware", os.fsdecode(name), "--all", code=2
        ).stderr
        assert "a name that cannot be printed" in said


def test_ctrl_c_ends_it_at_once(tmp_path, monkeypatch):
    """A terminal sends it to esptool as well; that was taken for a line that fails, and begun again, slower."""
    file, started = tmp_path / "x.bin", []
    file.write_bytes(merged("esp32")[: 0x10000 - 0x1000] + segment("esp32", 3_000_000, 5))
    real = esptool.start
    monkeypatch.setattr(esptool, "start", lambda: started.append(real()) or started[-1])

    def report(fraction, words):
        if 0 < fraction < 0.9:
            started[-1].send_signal(signal.SIGINT)

    board = boards.load("esp32-devkit")
    with MockChip() as chip:
        done = Flasher(board, images.load(file, board), Ledger())(chip.port, report)
    assert done.verdict == "failed" and done.why.startswith("stopped with Ctrl-C") and len(started) == 1


def test_many_at_once_and_one_in_trouble(image, tmp_path):
    file = image("esp32")
    with MockChip(mac="240ac4000001") as a, MockChip(mac="240ac4000002") as b:
        nobody = f"socket://127.0.0.1:{free_port()}"
        options = [x for p in (a.port, nobody, b.port) for x in ("--port", p)]
        done = pulseweave(
            "flash", "--board", "esp32-devkit", "--firmware", file, *options, "--json", tmp_path / "j", code=2
        )
        assert "nobody listens there" in done.stderr
        found = {e["port"]: e["verdict"] for e in json.loads((tmp_path / "j").read_text())["boards"]}
        assert found == {a.port: "ok", nobody: "failed", b.port: "ok"}
        assert len(Ledger().boards()) == 2


def test_pulling_the_plug_on_the_bench_loses_nothing(image):
    file = image("esp32")
    chips = [MockChip(mac=f"240ac4{i:06x}") for i in range(5)]
    try:
        for c in chips:
            c.__enter__()
        options = [x for c in chips for x in ("--port", c.port)]
        line = ("flash", "--board", "esp32-devkit", "--firmware", file, "--jobs", "1", *options)
        bench = subprocess.Popen(
            [sys.executable, "-m", "pulseweave", *map(str, line)], start_new_session=True
        )
        until(lambda: len(Ledger().events) >= 3, 30, 0.01)
        os.killpg(bench.pid, signal.SIGKILL)
        bench.wait()
        time.sleep(0.3)
        done = len(Ledger().events)
        assert done < 5
        pulseweave(*line)
        book = Ledger()
        verdicts = [e["verdict"] for e in book.events[done:]]
        assert verdicts[:done] == ["skipped"] * done and verdicts.count("ok") >= 5 - done - 1
        assert len(book.boards()) == 5 and not book.damage
    finally:
        for c in chips:
            c.__exit__()


def test_vanished_in_the_middle(image):
    file = image("esp32")
    with MockChip(baud=115200) as chip:
        seen = []

        def watch(fraction, _):
            seen.append(fraction)
            if fraction > 0.2:
                chip.kill()

        board = boards.load("esp32-devkit")
        flasher = Flasher(board, images.load(file, board), Ledger(), baud=115200)
        result = flasher(chip.port, watch)
        assert result.verdict == "failed" and max(seen) > 0.2
        assert Ledger().events[-1]["verdict"] == "failed"
        assert "again" in result.why


def test_silent_chip_climbs_down_the_ladder_and_says_how_to_enter_download_mode(image, monkeypatch):
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: [server.accept() for _ in range(9)], daemon=True).start()
    tried = []
    run = esptool.run
    monkeypatch.setattr(esptool, "run", lambda *a, **k: tried.append(k["baud"]) or run(*a, **k))
    board = boards.load("esp32-devkit")
    flasher = Flasher(board, images.load(image("esp32"), board), Ledger(), attempts=1)
    result = flasher(f"socket://127.0.0.1:{server.getsockname()[1]}", lambda *_: None)
    assert tried == [460800, 230400, 115200]
    assert result.verdict == "failed" and "hold BOOT" in result.why and "115200" in result.why
    assert Ledger().events == []  # no MAC, no board
