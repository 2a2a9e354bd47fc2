"""Labels and sheets of them."""

import re
import xml.etree.ElementTree as xml

import pytest
from benchtools import pulseweave
from pulseweave.bench import labels
from pulseweave.bench.ledger import Ledger
from pulseweave.network import Network
from pulseweave.problem import Problem


def test_a_label_can_be_read_and_sheets_are_sound(tmp_path):
    many = [
        labels.Label(i, f"name & <{i}>", "hall", "esp32-devkit", f"24:0a:c4:00:00:{i:02x}")
        for i in range(1, 40)
    ]
    root = xml.fromstring(labels.svg(many))
    groups = root.findall("{http://www.w3.org/2000/svg}g")
    assert len(groups) == 39 and root.get("height") == "594.0mm"
    side, runs = labels.modules(many[0].code())
    dark = {(x + i, y) for x, y, n in runs for i in range(n)}
    assert all((4 + i, 4) in dark for i in range(7)) and not any(x < 4 or x >= side - 4 for x, _ in dark)
    data = labels.pdf(many)
    assert data.startswith(b"%PDF-1.4") and data.count(b"/Type /Page ") == 2
    at = int(re.search(rb"startxref\n(\d+)", data)[1])
    assert data[at : at + 4] == b"xref"
    for i, line in enumerate(data[at:].split(b"\n")[3:9]):
        assert data[int(line[:10]) :].startswith(f"{i + 1} 0 obj".encode())
    with pytest.raises(Problem, match=r"\.svg or \.pdf"):
        labels.write(many, tmp_path / "x.png")
    assert "no provisioned board" in pulseweave("labels", tmp_path / "x.svg", code=2).stderr


def test_labels_of_a_network_by_its_name_or_by_its_file(tmp_path):
    """Every other command takes --network FILE, so this one must understand a file as well."""
    Network.create("hall").save(tmp_path / "keys.json")
    Ledger().add("provision", "020000000001", "ok", node=7, network="hall", name="fern")
    for word in ("hall", tmp_path / "keys.json"):
        assert "1 labels" in pulseweave("labels", tmp_path / "x.svg", "--network", word).stdout
    said = pulseweave("labels", tmp_path / "x.svg", "--network", "hell", code=2).stderr
    assert "no provisioned board there that fits" in said and "there is hall" in said


def test_what_cannot_be_printed_spoils_no_sheet(tmp_path):
    made = [labels.Label(1, "x\x01\x1b\ny", "hall", "virtual", "02")]
    assert "x\ufffd" in labels.svg(made) and xml.fromstring(labels.svg(made)) is not None
    assert b"\x01" not in labels.pdf(made)
    with pytest.raises(Problem, match="shorter name"):
        labels.write([labels.Label(1, "x", "n" * 3000, "virtual", "02")], tmp_path / "x.svg")
