"""A gateway node in miniature for tests of the host's side: a ring, numbers, answers, a line that can lose bytes.

Only the protocol is here (device/weave/console/README.md); the real thing is gathered from in test_gather.py.
"""

import json
import struct

from pulseweave import serial_link as link
from pulseweave.gather.gateway import FRAME, NUMBER, RING
from pulseweave.gather.record import State, encode


class Board:
    """`hear(packet)` records; `step(now_s)` -> bytes on the line; `typed(bytes)` is what the host wrote."""

    def __init__(self, node=1, epoch=65_537):
        self.node, self.epoch = node, epoch
        self.boot()

    def boot(self):
        self.records, self.sent, self.until, self.sequence = [], 0, 0, 0
        self.out = b""
        self.on = False
        self.answered = []

    def hear(self, packet):
        if self.on:
            self.records.append(encode(packet))

    def hear_many(self, node, numbers, mesh0=0):
        for n in numbers:
            self.hear(State(node, n & 0xFFFF, 7, (mesh0 + n * 450) & 0x3FFFFFFF, 50, 60, 200, 3, 1, -60))

    def typed(self, data: bytes):
        for line in data.splitlines():
            payload = link.base64.b64decode(line[1:])[2:-4].decode().split()
            if payload[0] != "gateway":  # an older firmware: what it does not know it does not answer
                continue
            self.on = True
            self.sent = int(payload[1])
            self.until = self.sent + 512
            self.answered.append(self.sent)
            mesh_ms = struct.unpack(">I", self.records[-1][:4])[0] if self.records else 0
            answer = {"node": self.node, "epoch": self.epoch, "next": len(self.records), "mesh_ms": mesh_ms}
            self._frame(link.ANSWER, bytes((NUMBER, 1)) + json.dumps(answer).encode())

    def _frame(self, kind, payload):
        self.out += link.encode_frame(kind, self.sequence, payload)
        self.sequence = self.sequence + 1 & 255

    def step(self) -> bytes:
        self.sent = max(self.sent, len(self.records) - RING)
        while self.sent < min(len(self.records), self.until):
            self._frame(link.GATEWAY, FRAME.pack(self.sent & 0xFFFF) + self.records[self.sent])
            self.sent += 1
        out, self.out = self.out, b""
        return out
