"""Runs under MicroPython: nanoseconds of the primitives that the projection counts, on this machine, now.

primitives.py. Out: JSON {class: ns}. Every figure is the difference between a loop with the operation several times in its
body and the empty loop, so loads and stores of locals that come with an operation are part of it.
"""
# ruff: noqa: F841 (storing the result is part of what is timed)

import json
from time import time_ns

N = 60000


class Thing:
    def __init__(self):
        self.x = 1

    def method(self, a):
        pass


def loop(n, t, buf, o, f):
    for _ in range(n):
        pass


def add(n, t, buf, o, f):
    a = 3
    b = 5
    for _ in range(n):
        c = a + b
        c = a - b
        c = a + b
        c = a - b


def mul(n, t, buf, o, f):
    a = 3
    b = 5
    for _ in range(n):
        c = a * b
        c = a * b
        c = a * b
        c = a * b


def compare(n, t, buf, o, f):
    a = 3
    b = 5
    for _ in range(n):
        if a > b:
            pass
        if a > b:
            pass
        if a > b:
            pass
        if a > b:
            pass


def branch(n, t, buf, o, f):
    a = 0
    for _ in range(n):
        if a:
            pass
        if a:
            pass
        if a:
            pass
        if a:
            pass


def read(n, t, buf, o, f):
    i = 3
    for _ in range(n):
        c = buf[i]
        c = buf[i]
        c = buf[i]
        c = buf[i]


def write(n, t, buf, o, f):
    i = 3
    a = 5
    for _ in range(n):
        buf[i] = a
        buf[i] = a
        buf[i] = a
        buf[i] = a


def get(n, t, buf, o, f):
    for _ in range(n):
        c = o.x
        c = o.x
        c = o.x
        c = o.x


def put(n, t, buf, o, f):
    a = 5
    for _ in range(n):
        o.x = a
        o.x = a
        o.x = a
        o.x = a


def call(n, t, buf, o, f):
    for _ in range(n):
        o.method(1)
        o.method(1)
        o.method(1)
        o.method(1)


def builtin(n, t, buf, o, f):
    for _ in range(n):
        f(buf)
        f(buf)
        f(buf)
        f(buf)


def best(function, n):
    """Shortest of nine runs, ns per pass."""
    o = Thing()
    buf = bytearray(16)
    shortest = 1 << 60
    for _ in range(9):
        t = time_ns()
        function(n, 0, buf, o, len)
        t = time_ns() - t
        if t < shortest:
            shortest = t
    return shortest / n


def main():
    empty = best(loop, N)
    out = {"loop": empty}
    for f in (add, mul, compare, branch, read, write, get, put, call, builtin):
        out[f.__name__] = (best(f, N) - empty) / 4
    print(json.dumps(out))


main()
