"""Sent to a board to try its parts: strand, pulse sensor, skin sensor, radio, flash; raw REPL, the node stopped.

Prints one line of JSON per part: {"part", "ok", "said"}. `finish(ok)` shows the verdict on the strand: green or red.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
# ruff: noqa: E402, UP031 (MicroPython)
import gc
import json
import os
import sys
from time import sleep_ms, ticks_diff, ticks_ms

gc.collect()
from weave.drivers import Hardware

with open("board.json") as f:
    board = json.load(f)

hardware = Hardware(board, sys.stdin.buffer, sys.stdout.buffer)
DIM = 24


def said(part, ok, text):
    print(json.dumps({"part": part, "ok": ok, "said": text}))


def fill(r, g, b, w=0, every=1):
    s = hardware.strand
    for i in range(s.n):
        on = i % every == 0
        for k, v in zip(s.order, (r, g, b, w)):
            s.buf[i * s.channels + k] = v if on else 0
    s.show()


def strand():
    """A walk through the colours; that they were seen only a person can say, that the driver took them is tested."""
    s = hardware.strand
    for k in range(s.channels):
        colour = [0] * 4
        colour[k] = DIM
        fill(*colour)
        sleep_ms(250)
    fill(0, 0, 0)
    said(
        "strand",
        True,
        "%d pixels shown %s" % (s.n, ", ".join(("red", "green", "blue", "white")[: s.channels])),
    )


def watch(sensor, ms, each):
    """Poll for `ms`; smallest, largest and mean of what came, and how many."""
    low, high, total, n = 1 << 29, -1, 0, 0
    end = ticks_ms() + ms
    while ticks_diff(end, ticks_ms()) > 0:
        for i in range(sensor.poll(ticks_ms())):
            v = sensor.samples[i] // each
            low, high, total, n = min(low, v), max(high, v), total + v, n + 1
        sleep_ms(20)
    return low, high, total // n if n else 0, n


def pulse():
    p = hardware.pulse
    _low, _high, mean, n = watch(p, 1200, 1)
    if p.fault and not n:
        return said("pulse", False, "does not answer (fault %d): check SDA, SCL and 3V3" % p.fault)
    if n < 30:
        return said("pulse", False, "%d samples in 1.2 s: check its wires" % n)
    if mean <= p.full // 250 or mean >= p.full - p.full // 250:
        where = "ground" if mean < p.full // 2 else "3V3"
        if p.pulsatile:
            return said("pulse", False, "mean %d of %d: the signal wire hangs at %s" % (mean, p.full, where))
        if where == "3V3":
            return said("pulse", False, "mean %d of %d: too much light on the sensor" % (mean, p.full))
    touched = mean >= p.contact_min and (not p.pulsatile or mean <= p.contact_max)
    said(
        "pulse",
        True,
        "%d samples, mean %d of %d, %s" % (n, mean, p.full, "a finger on it" if touched else "nobody on it"),
    )


def skin():
    s = hardware.skin
    low, high, mean, n = watch(s, 600, s.oversample)
    if n < 15 or mean < 20 or mean > 4075:
        return said("skin", False, "mean %d of 4095: check the yellow wire, 3V3 and ground" % mean)
    said("skin", True, "mean %d of 4095, noise %d" % (mean, high - low))
    return mean


def radio():
    """The radio is on, sends, and hears the others of this bench where there are any."""
    r = hardware.radio
    if r.fault:
        return said(
            "radio", False, "does not start: power-cycle the board; if it stays, the module is broken"
        )
    view = memoryview(b"pulseweave self-test ping")
    sent = heard = 0
    strongest = -127
    end = ticks_ms() + 1500
    macs = []
    while ticks_diff(end, ticks_ms()) > 0:
        if sent < 3:
            sent += r.send(view)
        try:
            while r.recv():
                heard += 1
                strongest = max(strongest, r.rssi)
                if bytes(r.mac) not in macs and len(macs) < 16:
                    macs.append(bytes(r.mac))
        except ValueError:
            r.restart()
        sleep_ms(30)
    if not sent:
        return said("radio", False, "takes no frame: power-cycle the board")
    if not heard:
        return said("radio", True, "sends; hears nobody (no other node is on at this bench)")
    said("radio", True, "sends; hears %d nodes, the nearest at %d dBm" % (len(macs), strongest))


def flash():
    data = bytes(range(256))
    with open("/selftest~", "wb") as f:
        f.write(data)
    with open("/selftest~", "rb") as f:
        back = f.read()
    os.remove("/selftest~")
    s = os.statvfs("/")
    said(
        "flash",
        back == data,
        "%d KiB free" % (s[3] * s[0] >> 10) if back == data else "reads back something else",
    )


def finish(ok):
    """Green or red on the strand, and a breath of time to see it."""
    fill(0 if ok else DIM, DIM if ok else 0, 0)


PARTS = (strand, pulse, skin, radio, flash)
