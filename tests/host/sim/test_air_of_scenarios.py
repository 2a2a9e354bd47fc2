"""A room that shares its air with virtual boards is heard and hears, also after another has taken its place."""

from pulseweave.air import Air
from pulseweave.sim.air import SharedAir


def test_the_next_room_is_heard_where_the_last_one_was(tmp_path):
    board = Air(b"\x02\x50\x57\x00\x00\x77", tmp_path / "air")
    first = SharedAir(tmp_path / "air", [0], 1)
    second = SharedAir(tmp_path / "air", [0], 1)  # a page has chosen another scenario
    first.close()
    assert board.send(b"hello") == 1
    assert [h.frame for h in second.exchange(1, [])] == [b"hello"]
    second.close()
    board.close()
    assert not list((tmp_path / "air").iterdir())
