"""console/: what a person sees, what a host gets, and that neither garbage nor a slow line disturbs (both ports)."""

from line import reply, say, talk
from node import Node


def test_help_lists_and_every_command_answers():
    text = say(b"?\n")
    for word in "status watch beats mesh scene identify config crash reboot optout share raw".split():
        assert "\r\n" + word in text, text
        answer = reply(word.encode() + b" -j\n")
        assert isinstance(answer, (dict, list)), word
        assert "error" not in answer, answer


def test_typing_is_echoed_and_can_be_corrected():
    text = say(b"statxs\x08\x08us\r\n")
    assert text.startswith("statxs\b \b\b \bus\r\n") and "bpm            72.0" in text, text


def test_status_document():
    s = reply(b"status -j\n")
    assert (s["bpm"], s["rmssd_ms"], s["skin_us"], s["arousal"], s["quality"]) == (72.0, 40.0, 4.3, 0.5, 0.8)
    assert (s["valence"], s["node"], s["name"], s["boots"], s["scene"], s["up_s"]) == (
        -0.25,
        7,
        "ada",
        3,
        "hearth",
        61,
    )
    assert s["frames"] == 70000 and s["free"] > 0 and s["faults"] == {"light": 2}


def test_a_command_that_breaks_is_noted_and_survived():
    for part, words in (
        ("mesh", (b"mesh", b"scene tide", b"status")),
        ("light", (b"identify", b"scene")),
        ("damp", (b"optout",)),
    ):
        n = Node()
        delattr(n, part)
        for word in words:
            assert " cannot: " in reply(word + b" -j\n", n)["error"], word
        assert n.keep.notes.taken == len(words)


def test_unknown_and_wrong_are_one_line():
    for line, part in (
        (b"nonsense\n", "unknown command nonsense: ?"),
        (b"scene vigil\n", "there are hearth tide identify"),
        (b"scene tide 300\n", "no scene tide 300: there are"),
        (b"config scene disco\n", "no scene disco: there are"),
        (b"config pixels 61\n", "the strand has 60 pixels"),
        (b"config nodee 5\n", "no key nodee"),
        (b"config node x\n", "0 to 65535"),
        (b"__init__ 1\n", "unknown command"),
    ):
        text = say(line)
        assert part in text and "Traceback" not in text, text


def test_mesh_lists_the_room():
    rows = reply(b"mesh -j\n")
    assert rows[1] == {
        "node": 8,
        "age": 3,
        "version": 128,
        "rssi": -61,
        "arousal": 0.25,
        "confidence": 0.5,
        "g": 1.0,
    }
    assert "node 8" in say(b"mesh\n")


def test_mesh_puts_a_question_for_links_and_gives_the_last_answer():
    n = Node()
    assert reply(b"mesh 9 -j\n", n) == {"links": "0008"}
    assert n.mesh.event == (8, b"", -1, 9)
    assert reply(b"mesh 9 -j\n", n) == {"links": ""}
    assert "error" in reply(b"mesh x -j\n", n)


def test_scene_identify_config_optout_reboot_act():
    n = Node()
    assert reply(b"scene tide -j\n", n) == {"scene": "tide"}
    assert n.mesh.event == (1, bytes((1, 20)), 1500, 0xFFFF) and n.light.scene == 0
    say(b"identify\n", n)
    assert (n.light.shown, n.light.shown_ms) == (2, 10000)
    say(b"identify 8\n", n)
    assert n.mesh.event[0] == 4 and n.mesh.event[2:] == (-1, 8)
    n.mesh.keys = False  # alone: the scene is this strand's, at once
    say(b"scene tide\n", n)
    assert n.light.scene == 1
    assert "error" in reply(b"identify 8 -j\n", n) and "error" in reply(b"identify x -j\n", n)
    assert reply(b"config node 9 -j\n", n) == {"node": 9, "unsaved": 1} and n.keep.config.node == 9
    assert reply(b"config save -j\n", n)["unsaved"] == 0
    assert reply(b"config name ada of the stairs -j\n", n)["name"] == "ada of the stairs"
    assert reply(b"optout -j\n", n) == {"opted_out": 1} and n.damp.opted_out
    assert reply(b"optout off -j\n", n) == {"opted_out": 0}
    con, out = talk(b"reboot\n", n)
    assert con.reboot == 1 and n.keep.left == 1


def test_share_is_the_wearers_wish_and_says_what_is_in_force():
    n = Node()
    assert reply(b"share -j\n", n) == {"share": 25, "from": "room"}
    assert reply(b"share 40 -j\n", n) == {"share": 40, "from": "wish"} and n.damp.rho == 1638
    assert reply(b"share 10 -j\n", n) == {"share": 25, "from": "room"}
    n.damp.policy_rho = 2048
    assert reply(b"share 40 -j\n", n) == {"share": 50, "from": "room"}
    assert reply(b"share 60 -j\n", n) == {"share": 60, "from": "wish"}
    assert "error" in reply(b"share all -j\n", n)
    n.sense.contact = 0
    assert reply(b"share 90 -j\n", n)["error"] == "touch the sensor first" and n.damp.rho == 2457
    assert reply(b"share -j\n", n)["share"] == 60  # asking is anybody's


def test_crash_notes_are_readable():
    n = Node()
    n.keep.notes.take("light", "Traceback:\n  File\nOSError: 5")
    text = say(b"crash\n", n)
    assert "part light" in text and "\r\n  OSError: 5" in text
    assert reply(b"crash -j\n", n)[0]["text"].endswith("OSError: 5")
    assert reply(b"crash clear -j\n", n) == []


def test_a_flag_alone_lists_the_commands():
    assert "status" in say(b"-f\n") and '"status"' in say(b" -j\n")


def test_numbers_that_are_no_node_are_refused():
    """65535 is everybody; more than 16 bits would be somebody else."""
    n = Node()
    for word in (b"identify", b"mesh", b"crash"):
        for number in (b"0", b"65535", b"65538", b"4294967298"):
            answer = reply(word + b" " + number + b" -j\n", n)
            assert "1 to 65534" in answer["error"], (word, number, answer)
    assert "1 to 65534" in reply(b"mesh -1 -j\n", n)["error"]
    assert n.mesh.event is None and n.mesh.told
    assert "identify" in reply(b"identify 65534 -j\n", n) and n.mesh.event[3] == 65534
