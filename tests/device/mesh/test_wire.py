"""The wire specification: its vectors hold on the device and on the host, and both agree on random frames, byte by byte."""

import random
import re

import ports
from pulseweave import network

HERE = ports.TESTS / "device" / "mesh"
README = ports.DEVICE / "weave" / "mesh" / "README.md"
KEY = bytes(range(16))
COMMAND = bytes(range(240, 256))
Q12, Q8 = (8, 9, 1000, 2047, 2048, 4096), (1, 128, 255)
# node 1 follows root 7 over node 258, which it hears at -60 dBm; its time was 67.5 ms behind
LINKS = bytes.fromhex("0001 0007 03 0000 ffffbc80 0102 3c")
MESH_MS = 123456 + 510 + 1  # of its ms 123900: when 258 made its frame, and the ms on the way


def device(lines):
    """Answers of the device's code."""
    done = ports.unix(HERE / "vectors.py", stdin="\n".join(lines).encode() + b"\n")
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout.decode().split()


def vectors() -> dict[str, str]:
    block = README.read_text().split("## Vectors")[1]
    return dict(re.findall(r"^(\w+): ([0-9a-f]+|\d+)$", block, re.M))


def state_payload() -> bytes:
    """A beacon of node 258 under root 7, two records, two entries."""
    b = bytearray(96)
    b[0:8] = (65537).to_bytes(4, "big") + (7).to_bytes(2, "big") + bytes([2, 2])
    b[8:16] = (123456).to_bytes(4, "big") + (41).to_bytes(2, "big") + bytes([1, 3])
    b[16:19] = sum(mix(i) for i in (258, 1, 7)).to_bytes(4, "big")[1:]
    b[20:26] = bytes([0, 5, 0, 0, 0, 9])
    b[26:34] = bytes([0, 7, 0, 99]) + bytes(4)
    b[34:48] = (
        bytes([0, 1])
        + (65540).to_bytes(4, "big")
        + bytes([0, 77])
        + (123400).to_bytes(4, "big")
        + bytes([61, 128])
    )
    b[48:62] = (
        bytes([0, 7])
        + (131072).to_bytes(4, "big")
        + bytes([1, 2])
        + (123390).to_bytes(4, "big")
        + bytes([70, 0])
    )
    b[62:64] = (510).to_bytes(2, "big")
    b[64:74] = bytes([1, 2, 0x10, 0x01, 128, 140, 200, 64, 1, 0])
    b[74:84] = bytes([0, 7, 0x80, 0x02, 30, 31, 99, 64, 0, 6])
    return bytes(b)


def mix(i: int) -> int:
    x = i * 16381
    return ((x % 2**15) * ((x >> 15) | 1)) % 2**24


def parts() -> dict[str, str]:
    """Everything the README's vector block must say, made on the host."""
    seal = network.Seal(KEY)
    head = network.header(network.STATE, 7, 258, 65538, 42, 1, 6, ttl=1)
    payload = state_payload()
    event = network.event(6, b"\x00\x2a", born=123456)
    event_head = network.header(network.EVENT, 7, 258, 65538, 43, 1, len(event) // 16)
    net = network.Network("vectors", 7, {1: KEY}, {1: COMMAND})
    command = net.command("policy", b"\x01\x40", at=1000)
    policy = ((123460).to_bytes(4, "big") + b"\1" + command).ljust(64, b"\0")
    policy_head = network.header(network.EVENT, 7, 258, 65538, 44, 1, 4)
    question = network.event(8, b"", born=123470, target=1)
    question_head = network.header(network.EVENT, 7, 258, 65538, 45, 1, len(question) // 16)
    answer = network.event(8, LINKS, born=MESH_MS, target=258)
    answer_head = network.header(network.EVENT, 7, 1, 65540, 78, 1, len(answer) // 16)
    return {
        "k_mac": seal.mac_key.hex(),
        "k_enc": seal.enc_key.hex(),
        "state_header": head.hex(),
        "state_payload": payload.hex(),
        "state_frame": seal.close(head, payload).hex(),
        "event_header": event_head.hex(),
        "event_payload": event.hex(),
        "event_frame": (sealed := seal.close(event_head, event)).hex(),
        "event_passed_on": (sealed[:3] + b"\x0e" + sealed[4:]).hex(),
        "command_body": command.hex(),
        "command_payload": policy.hex(),
        "command_frame": seal.close(policy_head, policy).hex(),
        "links_question_payload": question.hex(),
        "links_question_frame": seal.close(question_head, question).hex(),
        "links_answer_data": LINKS.hex(),
        "links_answer_payload": answer.hex(),
        "links_answer_frame": seal.close(answer_head, answer).hex(),
        "hash_of_id_1": str(mix(1)),
        "hash_of_id_258": str(mix(258)),
        "hash_of_id_65534": str(mix(65534)),
        **{f"q8_of_{v}": str((v * 255 + 2048) >> 12) for v in Q12},
        **{f"q12_of_{q}": str((q * 257) >> 4) for q in Q8},
        "first_version_in_epoch_65540": str((65540 * 64 + 1) % 65536),
        "first_stamp_in_epoch_65540": str(65540 % 2**14 * 65536),
    }


def test_the_readmes_vectors():
    assert vectors() == parts()


def test_the_device_agrees_with_the_vectors():
    v = vectors()
    body = v["command_body"]
    got = device(
        [
            f"{v['state_header']} {v['state_payload']}",
            f"{v['event_header']} {v['event_payload']}",
            f"open {v['state_frame']}",
            f"open {v['event_frame']}",
            f"open {v['event_frame'][:-2]}00",
            f"command {body[2:-16]}",
            "mix 1",
            "mix 258",
            "mix 65534",
        ]
    )
    assert got == [
        v["state_frame"],
        v["event_frame"],
        v["state_payload"],
        v["event_payload"],
        "no",
        body[-16:],
        v["hash_of_id_1"],
        v["hash_of_id_258"],
        v["hash_of_id_65534"],
    ]


def test_a_node_understands_the_vectors():
    """All of them on the air of a node 1 in its epoch 65540, with 258's first: it believes, obeys and answers."""
    v = vectors()
    names = ("state", "event", "command", "links_question")
    got = device(["mesh " + ",".join(v[f"{n}_frame"] for n in names)])
    assert got == [
        f"own:{v['first_version_in_epoch_65540']},{v['first_stamp_in_epoch_65540']}",
        # rows: id version arousal fast confidence g flags
        "row:258,4097,2056,2248,200,1028,1",
        "row:7,32770,481,497,99,1028,0",
        "event:6:002a:258:-1",
        "event:2:0140:258:1000",
        "sent:" + v["links_answer_frame"],
        "passed:" + v["event_passed_on"],
    ]


def test_a_node_rounds_as_the_vectors_do():
    v = vectors()
    got = device([f"round {','.join(map(str, Q12))} {','.join(map(str, Q8))}"])
    assert got == [v[f"q8_of_{x}"] for x in Q12] + [v[f"q12_of_{x}"] for x in Q8]


def test_device_and_host_seal_alike_byte_by_byte():
    r = random.Random(5)
    seal = network.Seal(KEY)
    cases = []
    for k in range(300):
        p = 1 + k % 14
        head = bytearray(r.randbytes(16))
        head[15] = p
        cases.append((bytes(head), r.randbytes(16 * p)))
    sealed = device([f"{h.hex()} {d.hex()}" for h, d in cases])
    assert sealed == [seal.close(h, d).hex() for h, d in cases]
    assert all(seal.open(bytes.fromhex(f)) == d for f, (_, d) in zip(sealed, cases))


if __name__ == "__main__":
    for name, value in parts().items():
        print(f"{name}: {value}")
