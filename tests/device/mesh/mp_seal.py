"""The seal: RFC 4493 vectors, round trips, every flipped bit, every truncation."""

from binascii import unhexlify

from heap import locked
from weave.mesh.frame import fold
from weave.mesh.seal import Cmac, Keys, load
from world import Random, World, blob

KEY = unhexlify("2b7e151628aed2a6abf7158809cf4f3c")
MESSAGE = unhexlify(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
VECTORS = (
    (0, "bb1d6929e95937287fa37d129b756746"),
    (16, "070a16b46b4d4144f79bdd9dd04a287c"),
    (40, "dfa66747de9ae63030ca32611497c827"),
    (64, "51f0bebf7e3b9d92fc49741779363cfe"),
)


def frame(keys, p, seq=5):
    """A sealed frame of p blocks whose payload is 0, 1, 2 ...; and what was in it."""
    w = keys.pool.work
    for k in range(16):
        w[k] = k * 7
    w[13] = seq
    for k in range(16 * p):
        keys.pool.plain[k] = k & 255
    keys.seals[1].close(p)
    return bytearray(keys.pool.frame[p]), bytes(k & 255 for k in range(16 * p))


def opens(keys, f, p):
    m = memoryview(f)
    return keys.seals[1].open(f, [m[16 : 16 + 16 * k] for k in range(p + 1)], p)


def test_rfc_4493_vectors():
    c = Cmac(KEY)
    for _ in range(2):  # a tag leaves nothing behind that changes the next
        for n, tag in VECTORS:
            c.sign(b"xx" + MESSAGE, 2, n)
            assert c.tag == unhexlify(tag), n


def test_round_trip_of_every_size_and_payload_is_hidden():
    keys = Keys(blob())
    for p in range(1, 15):
        f, payload = frame(keys, p)
        assert len(f) == 24 + 16 * p
        assert payload[:16] not in bytes(f)
        assert opens(keys, f, p)
        assert bytes(keys.pool.plain_at[p]) == payload


def test_ttl_is_outside_the_tag_and_all_else_inside():
    keys = Keys(blob())
    f, _ = frame(keys, 2)
    for bit in range(len(f) * 8):
        f[bit >> 3] ^= 1 << (bit & 7)
        assert opens(keys, f, 2) == (bit >> 3 == 3), bit
        f[bit >> 3] ^= 1 << (bit & 7)
    assert opens(keys, f, 2)


def test_equal_payloads_do_not_look_equal():
    keys = Keys(blob())
    a, _ = frame(keys, 3, 1)
    b, _ = frame(keys, 3, 2)
    assert a[16:32] != b[16:32] and a[48:64] != b[48:64]


def test_other_keys_open_nothing():
    mine = Keys(blob())
    f, _ = frame(mine, 2)
    assert not opens(Keys(blob(fill=2)), f, 2)


def test_sealing_and_opening_allocate_nothing():
    keys = Keys(blob())
    seal = keys.seals[1]
    f, _ = frame(keys, 9)
    m = memoryview(f)
    at = [m[16 : 16 + 16 * k] for k in range(10)]
    assert locked(seal.open, f, at, 9)
    locked(seal.close, 9)
    f[20] ^= 1
    assert not locked(seal.open, f, at, 9)


def test_keys_by_id_and_rotation():
    keys = Keys(blob(use=4, flags=1, ids=(4, 5, 7, 0)))
    assert sorted(keys.seals) == [4, 5] and keys.seals[4] is not keys.seals[5]
    assert list(keys.commands) == [7] and keys.command == 7
    assert not Keys(blob()).command  # it knows command keys, but may not command


def test_who_hears_the_next_key_goes_along_and_not_back():
    w = World(3, seed=2)
    for k in range(3):  # node 3 was provisioned anew, to send with the second key
        w.boards[k].nvs.ints["epoch"] = 1 << 16
        w.blob = blob(use=2 if k == 2 else 1)
        w.boards[k].boot()
    w.run(4)
    assert [b.mesh.keys.use for b in w.boards] == [2, 2, 2] and w.boards[0].mesh.room.count == 3


def test_damaged_or_missing_keys_are_none():
    class Nvs:
        def __init__(self, b):
            self.b = b

        def get_blob(self, key, buf):
            if len(self.b) > len(buf):
                return 0
            for k in range(len(self.b)):
                buf[k] = self.b[k]
            return len(self.b)

    assert load(Nvs(blob()))
    assert load(Nvs(b"")) is None
    assert load(Nvs(blob()[:71])) is None
    for at, v in ((0, 2), (2, 0), (2, 99)):
        b = blob()
        b[at] = v
        assert load(Nvs(b)) is None


def test_fold_is_exclusive_or_and_tells_equal_blocks():
    """On the unix port this is machine code, on the 32-bit port the same text as bytecode."""
    r = Random(9)
    a = bytearray(r.below(256) for _ in range(64))
    b = bytearray(r.below(256) for _ in range(16))
    x = bytearray(16)
    for o in range(48):
        assert fold(x, a, o, b, 16)
        assert x == bytearray(a[o + k] ^ b[k] for k in range(16))
        a[o + r.below(8)] ^= 1
        c = a[o : o + 8]
        assert not fold(x, a, o, c, 8)
        c[r.below(8)] ^= 1 << r.below(8)
        assert fold(x, a, o, c, 8)
