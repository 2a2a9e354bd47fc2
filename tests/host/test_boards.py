"""Board descriptions: the shipped ones are sound, and every mistake is one clear line with file, key and remedy."""

import json
import re
import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pulseweave.boards import chips, load, names, pins
from pulseweave.boards.command import boards
from pulseweave.cli import main
from pulseweave.paths import BOARDS
from pulseweave.problem import Problem

DEVKIT, S3, C3 = (
    (BOARDS / f"{name}.toml").read_text().replace(f'name = "{name}"', 'name = "mine"')
    for name in ("esp32-devkit", "esp32-s3-devkitc", "esp32-c3")
)


def problem(tmp_path, text) -> str:
    path = tmp_path / "b.toml"
    path.write_text(text)
    with pytest.raises(Problem) as e:
        load(path)
    message = str(e.value)
    assert message.startswith(str(path)) and "\n" not in message and e.value.code == 2
    return message


def changed(text: str, table: str, key: str, line: str) -> str:
    """`text` with `key` of [table] replaced by `line` ("" removes it)."""
    start = text.index(f"[{table}]") if table else 0
    head, tail = text[:start], text[start:]
    tail, n = re.subn(rf"^{key} = .*\n", f"{line}\n" if line else "", tail, count=1, flags=re.M)
    assert n == 1
    return head + tail


def test_shipped_boards_are_sound():
    assert {"esp32-devkit", "esp32-s3-devkitc", "esp32-c3", "virtual", "virtual-max30102"} <= set(names())
    for name in names():
        board = load(name)
        assert board.name == name
        device = json.loads(board.device_json())
        assert set(device) >= {"name", "chip", "pulse", "skin", "strand", "radio", "console"}
        assert not set(device) & {"wiring", "firmware", "title"}
        assert len(board.device_json()) < 1024


def test_readme_tells_every_pin():
    """The wiring table agrees with the descriptions."""
    rows = [
        line.split("|") for line in (BOARDS / "README.md").read_text().splitlines() if line.startswith("| ")
    ]
    head = next(r for r in rows if "esp32-devkit" in r[2])
    for column in (2, 3, 4):
        board = load(head[column].strip())
        told = {int(n) for r in rows if len(r) == len(head) for n in re.findall(r"GPIO(\d+)", r[column])}
        assert told == {pin for _, pin, _ in pins.used(board)}, board.name


@pytest.mark.parametrize(
    "text, table, key, line, said",
    [
        (DEVKIT, "strand", "pixels", "pixles = 60", "strand.pixles: unknown key: did you mean `pixels`?"),
        (DEVKIT, "strand", "pixels", "", "strand.pixels: missing key"),
        (DEVKIT, "strand", "pixels", "pixels = 301", "strand.pixels = 301: expected int <= 300"),
        (DEVKIT, "strand", "pin", 'pin = "x"', "strand.pin = 'x': expected int, got str"),
        (DEVKIT, "strand", "pin", "pin = true", "strand.pin = true: expected int, got bool"),
        (DEVKIT, "strand", "pin", "pin = 36", "GPIO36 is used twice, pulse.pin has it already"),
        (DEVKIT, "strand", "pin", "pin = 24", "has no GPIO24"),
        (DEVKIT, "strand", "pin", "pin = 34", "can only be an input"),
        (DEVKIT, "strand", "pin", "pin = 8", "wired to the flash"),
        (DEVKIT, "strand", "pin", "pin = 16", "psram = false"),
        (DEVKIT, "strand", "pin", "pin = 12", "strapping pin"),
        (DEVKIT, "strand", "pin", "pin = 1", "line of the console (UART0)"),
        (DEVKIT, "strand", "order", 'order = "GBB"', "not a colour order"),
        (
            DEVKIT,
            "strand",
            "budget_ma",
            "budget_ma = 239",
            "give budget_ma = 240 or more or at most 59 pixels",
        ),
        (
            DEVKIT,
            "pulse",
            "pin",
            "pin = 26",
            "ADC2, which is dead while the radio is on: use one of 32-38 (ADC1)",
        ),
        (DEVKIT, "pulse", "pin", "pin = 21", "GPIO21 has no ADC"),
        (DEVKIT, "pulse", "kind", 'kind = "analogue"', "use analog or max30102"),
        (DEVKIT, "pulse", "kind", "", "pulse.kind: missing key"),
        (DEVKIT, "pulse", "contact_max", "contact_max = 900", "not above contact_min"),
        (DEVKIT, "button", "pin", "pin = 35", "no pull-up"),
        (DEVKIT, "console", "kind", 'kind = "usb"', 'no USB of its own: use "uart"'),
        (DEVKIT, "radio", "channel", "channel = 14", "radio.channel = 14"),
        (DEVKIT, "firmware", "offset", "offset = 0", "boots from 0x1000"),
        (DEVKIT, "", "chip", 'chip = "esp32s2"', "use one of esp32, esp32s3"),
        (DEVKIT, "", "arch", 'arch = "rv32imc"', 'use "xtensawin"'),
        (DEVKIT, "", "name", 'name = "Über"', "not a name"),
        (DEVKIT, "", "name", 'name = "esp32-devkit"', 'use one of its own, such as "esp32-devkit-2"'),
        (DEVKIT, "", "name", 'name = "virtual"', "boards/virtual.toml has this name"),
        (
            DEVKIT,
            "strand",
            "order",
            'order = "GRB"\ntiming = [400, 850, 800, 0]',
            "strand.timing = [400, 850, 800, 0]: not possible",
        ),
        (
            DEVKIT,
            "strand",
            "order",
            'order = "GRB"\ntiming = [400, 850, 800, 100001]',
            "not possible: use one of 0, 1 or four times",
        ),
        (DEVKIT, "wiring.pins", "GPIO18", 'GPIO19 = "strand"', "wiring.pins.GPIO18: missing"),
        (DEVKIT, "wiring.pins", "GPIO18", 'GPIO18 = "s"\nGPIO19 = "s"', "GPIO19: no key uses this pin"),
        (S3, "pulse", "sda", "sda = 19", "line of the console (USB)"),
        (S3, "pulse", "i2c", "i2c = 2", "pulse.i2c = 2"),
        (S3, "skin", "pin", "pin = 12", "ADC2"),
        (S3, "skin", "pin", "pin = 3", "strapping"),
        (S3, "strand", "pin", "pin = 35", "PSRAM"),
        (S3, "strand", "pin", "pin = 30", "wired to the flash"),
        (S3, "strand", "pin", "pin = 22", "has no GPIO22"),
        (C3, "skin", "pin", "pin = 5", "ADC2"),
        (C3, "strand", "pin", "pin = 9", "strapping"),
        (C3, "strand", "pin", "pin = 20", "UART0"),
        (C3, "strand", "pin", "pin = 14", "wired to the flash"),
    ],
)
def test_one_clear_line(tmp_path, text, table, key, line, said):
    assert said in problem(tmp_path, changed(text, table, key, line))


def test_tables(tmp_path):
    assert "did you mean `strand`?" in problem(tmp_path, DEVKIT.replace("[strand]", "[strnad]"))
    gone = re.sub(r"\[skin\][^[]*", "", DEVKIT)
    assert "skin: missing table: add a [skin] table" in problem(tmp_path, gone)
    gone = re.sub(r"\[firmware\][^[]*", "", DEVKIT)
    assert "firmware: missing table" in problem(tmp_path, gone)
    assert "not valid TOML" in problem(tmp_path, "name =\n")
    (tmp_path / "bin.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match=r"bin\.toml: cannot be read"):
        load(tmp_path / "bin.toml")


def test_said_out_loud_a_strapping_pin_is_allowed(tmp_path):
    text = changed(DEVKIT, "strand", "pin", "pin = 5").replace("GPIO18 =", "GPIO5 =")
    assert "allow_strapping" in problem(tmp_path, text)
    (tmp_path / "b.toml").write_text("allow_strapping = true\n" + text)
    assert load(tmp_path / "b.toml").strand.pin == 5
    text = changed(DEVKIT, "strand", "pin", "pin = 17").replace("GPIO18 =", "GPIO17 =")
    (tmp_path / "b.toml").write_text("psram = false\n" + text)
    assert load(tmp_path / "b.toml").strand.pin == 17


def test_unknown_boards():
    with pytest.raises(Problem, match="did you mean esp32-devkit"):
        load("esp32-devki")
    with pytest.raises(Problem, match="no such board file"):
        load("/nowhere/x.toml")


def test_chip_tables_hold_together():
    for chip in chips.CHIPS.values():
        for name in ("input_only", "adc1", "adc2", "strapping", "flash", "psram", "uart0", "usb"):
            assert getattr(chip, name) <= chip.gpio, (chip.name, name)
        assert not chip.adc1 & chip.adc2 and not chip.flash & chip.adc1


VALUES = st.one_of(
    st.integers(-5, 70),
    st.text(max_size=5),
    st.booleans(),
    st.floats(),
    st.lists(st.integers()),
    st.builds(dict),
)


@settings(max_examples=400)
@given(data=st.data())
def test_any_mutation_is_accepted_or_one_line(data, tmp_path_factory):
    """Whatever a file says, load() gives a sound board or a Problem of one line; never anything else."""
    tree = tomllib.loads(data.draw(st.sampled_from((DEVKIT, S3, C3))))
    for _ in range(data.draw(st.integers(1, 3))):
        table = data.draw(st.sampled_from([None, *(k for k, v in tree.items() if isinstance(v, dict))]))
        d = tree if table is None else tree[table]
        key = data.draw(st.sampled_from([*d, "extra"]))
        if data.draw(st.booleans()):
            d.pop(key, None)
        else:
            d[key] = data.draw(VALUES)
    path = tmp_path_factory.getbasetemp() / "mutated.toml"
    path.write_text(toml(tree), encoding="utf-8")
    try:
        board = load(path)
    except Problem as e:
        assert "\n" not in str(e) and str(path) in str(e)
        return
    used = [pin for _, pin, _ in pins.used(board)]
    assert len(used) == len(set(used)) and set(used) <= chips.CHIPS[board.chip].gpio


def toml(tree: dict, prefix: str = "") -> str:
    """Just enough of a TOML writer."""
    plain = "".join(f"{json.dumps(k)} = {value(v)}\n" for k, v in tree.items() if not isinstance(v, dict))
    tables = [(f"{prefix}{json.dumps(k)}", v) for k, v in tree.items() if isinstance(v, dict)]
    return plain + "".join(f"[{name}]\n{toml(v, name + '.')}" for name, v in tables)


def value(v) -> str:
    if isinstance(v, float):
        return repr(v)
    return json.dumps(v, ensure_ascii=True).replace("\\ud", "?d") if isinstance(v, str) else json.dumps(v)


def test_commands(capsys, monkeypatch, tmp_path):
    run = CliRunner()
    out = run.invoke(boards, [])
    assert out.exit_code == 0 and "esp32-s3-devkitc" in out.output
    out = run.invoke(boards, ["--json", "-"])
    listed = json.loads(out.output)["boards"]
    assert [b["name"] for b in listed] == names()
    out = run.invoke(boards, ["check"])
    assert out.exit_code == 0 and out.output.count(": ok") == len(names())
    out = run.invoke(boards, ["wiring", "esp32-c3"])
    assert "GPIO10" in out.output

    bad = tmp_path / "bad.toml"
    bad.write_text(changed(DEVKIT, "strand", "pin", "pin = 34"))
    monkeypatch.setattr("sys.argv", ["pulseweave", "boards", "check", str(bad)])
    with pytest.raises(SystemExit) as e:
        main()
    assert e.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "strand.pin = 34" in err and "Traceback" not in err


def test_names_and_nesting_without_end_are_one_line(tmp_path):
    for name in ("x" * 300, "x" * 300 + ".toml", "/" + "x" * 300):
        with pytest.raises(Problem, match=r"not known|no such board file"):
            load(name)
    assert "[1, 1, 1" in (
        said := problem(tmp_path, changed(DEVKIT, "strand", "order", f"order = {[1] * 999}"))
    )
    assert len(said) < len(str(tmp_path)) + 200
    assert "nested too deep" in problem(tmp_path, "x = " + "[" * 100_000)
