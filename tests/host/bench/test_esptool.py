"""esptool as a subprocess: what it is told, what it says, and that none is left behind."""

import pytest
from pulseweave.bench import esptool
from pulseweave.figures.parts.mock_chip import MockChip, free_port


@pytest.fixture
def started(monkeypatch):
    """Every esptool that is started."""
    every = []
    start = esptool.start
    monkeypatch.setattr(esptool, "start", lambda: every.append(start()) or every[-1])
    return every


def test_one_that_starts_ahead_is_taken_by_the_first_who_runs(started):
    with MockChip() as chip, esptool.ahead():
        ready = started[0]
        assert esptool.run(chip.port, "read-mac").mac == chip.mac
        assert started == [ready] and ready.returncode == 0
        assert not esptool.run(chip.port, "read-mac").kind
        assert len(started) == 2


def test_one_that_nobody_takes_is_ended(started):
    with pytest.raises(ValueError), esptool.ahead():
        raise ValueError
    assert started[0].returncode is not None


def test_one_whose_bench_was_killed_ends_by_itself():
    left = esptool.start()
    left.stdin.close()
    left.stdout.read()
    assert left.wait(30) is not None


@pytest.mark.parametrize("name", ["two words.bin", 'Jo\'s "best" \\ image.bin', "été.bin"])
def test_a_file_may_have_any_name(image, name, tmp_path):
    file = image("esp32", name=name)
    with MockChip() as chip:
        assert not esptool.run(chip.port, "write-flash", "0x1000", str(file)).kind
        assert not esptool.run(chip.port, "verify-flash", "0x1000", str(file)).kind


def test_a_name_is_not_taken_for_what_went_wrong(image):
    file = image("esp32", name="corrupt, no such file or directory, download mode.bin")
    done = esptool.run(f"socket://127.0.0.1:{free_port()}", "write-flash", "0x1000", str(file), attempts=1)
    assert done.kind == "busy" and file.name not in done.text


def test_what_esptool_says_becomes_plain_words():
    for text, kind in (
        ("A fatal error occurred: This chip is ESP32-S3, not ESP32. Wrong chip argument?", "chip"),
        ("A fatal error occurred: Failed to connect to ESP32: No serial data received.", "mode"),
        ("A fatal error occurred: MD5 of file does not match data in flash!", "verify"),
        (
            "A fatal error occurred: Invalid head of packet (0x08): Possible serial noise or corruption.",
            "line",
        ),
        ("serial.serialutil.SerialException: device reports readiness to read but returned no data", "gone"),
        (
            "Could not open /dev/x, the port is busy or doesn't exist.\n([Errno 13] Permission denied: '/dev/x')",
            "permission",
        ),
        (
            "Could not open /dev/x, the port is busy or doesn't exist.\n([Errno 2] No such file or directory)",
            "missing",
        ),
        ("Could not exclusively lock port /dev/x: [Errno 11] Resource temporarily unavailable", "busy"),
    ):
        assert esptool.classify(text)[0] == kind, text
    assert "first line" not in esptool.classify("")[1]
    assert esptool.classify("odd\nA fatal error occurred: strange")[1].endswith("strange")
