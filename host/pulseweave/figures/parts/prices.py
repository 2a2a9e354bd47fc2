"""The classes of operations a tick is counted in, and what each costs on the chip and on a laptop.

In: code objects of the device's modules. Out: per instruction one class. Costs in us: measured with the official image in
an emulator that counts instructions, scaled so that its pystone equals the published 1661/s at 240 MHz (ESP32), and on a
laptop's unix port.

What CPython executes stands for what MicroPython would: both are stack machines with the same kinds of steps. Rules:
- loads and stores of locals and constants, stack shuffling and returns are part of the price of what they serve;
- `const()` names are folded by MicroPython: reading an upper-case global is free, any other global costs an attribute read;
- a comparison's price includes its branch; a branch on a bare truth value is priced apart (`branch`);
- `for .. in range()` is a counted loop, its call to range() free;
- a call that enters Python code of the firmware is a `call`; all other calls are C functions (`builtin`): drivers'
  hardware calls, len, ticks_diff. The chip's price of `builtin` and `branch`, which nobody measured there, is
  the measured one of `call` and `compare` times the ratio found on this machine in the same run;
- functions that viper compiles on the chip cost `viper` per arithmetic, load, store or compare; two of them per loop pass.
"""

import dis
import re
import types

CLASSES = (
    "free", "loop", "add", "mul", "compare", "branch", "read", "write", "get", "put", "call", "builtin", "viper", "aes",
)  # fmt: skip
FREE, LOOP, ADD, MUL, COMPARE, BRANCH, READ, WRITE, GET, PUT, CALL, BUILTIN, VIPER, AES = range(len(CLASSES))

ESP32 = {
    "free": 0.0, "loop": 3.9, "add": 2.5, "mul": 4.0, "compare": 3.0, "read": 1.9, "write": 2.3, "get": 1.2,
    "put": 1.7, "call": 16.7, "viper": 0.32, "aes": 25.0,
}  # fmt: skip
LAPTOP = {
    "free": 0.0, "loop": 0.027, "add": 0.020, "mul": 0.033, "compare": 0.022, "read": 0.018, "write": 0.028,
    "get": 0.010, "put": 0.015, "call": 0.10, "viper": 0.0015, "aes": 0.19,
}  # fmt: skip
NATIVE = ("light/kernel.py", "mesh/frame.py")  # where viper compiles: all of it, or these functions
ONLY = {"mesh/frame.py": ("fold",)}
MULTIPLIES = {"*", "//", "%", "**"}
UNTOLD = {
    "RESUME",
    "PRECALL",
    "CACHE",
    "PUSH_NULL",
    "KW_NAMES",
    "EXTENDED_ARG",
    "NOP",
    "COPY_FREE_VARS",
    "MAKE_CELL",
}


def is_native(code: types.CodeType) -> bool:
    """Whether viper compiles this function on the chip."""
    file = next((name for name in NATIVE if code.co_filename.endswith(name)), None)
    return (
        file is not None
        and code.co_name in ONLY.get(file, (code.co_name,))
        and not code.co_name.startswith("ptr")
    )


def classes(code: types.CodeType) -> dict[int, int]:
    """{offset: class} of a code object's instructions; those that MicroPython has no like of are absent."""
    native = is_native(code)
    out: dict[int, int] = {}
    ranged = False
    told = [i for i in dis.get_instructions(code) if i.opname not in UNTOLD]
    for k, i in enumerate(told):
        after = told[k + 1].opname if k + 1 < len(told) else ""
        before = told[k - 1].opname if k else ""
        kind = kind_of(i, before)
        if i.opname == "LOAD_GLOBAL" and i.argval == "range":
            ranged, kind = True, FREE
        if kind == BUILTIN and after == "GET_ITER" and ranged:
            ranged, kind = False, FREE
        if native and kind in (ADD, MUL, COMPARE, BRANCH, READ, WRITE):
            kind = VIPER if kind != BRANCH else FREE
        if not (native and kind == FREE):
            out[i.offset] = kind
    return out


def kind_of(i: dis.Instruction, before: str) -> int:
    """The class of one instruction of bytecode."""
    name = i.opname
    if name.startswith("BINARY_OP"):
        sign = i.argrepr.rstrip("=")
        return READ if sign == "[]" else MUL if sign in MULTIPLIES else ADD
    if name.startswith(("COMPARE_OP", "IS_OP", "CONTAINS_OP")):
        return COMPARE
    if "JUMP" in name and "IF" in name:
        return FREE if before.startswith(("COMPARE_OP", "IS_OP", "CONTAINS_OP")) else BRANCH
    if name == "LOAD_GLOBAL":
        return FREE if re.fullmatch(r"_*[A-Z][A-Z0-9_]*", str(i.argval)) else GET
    for start, kind in (
        ("BINARY_SUBSCR", READ), ("STORE_SUBSCR", WRITE), ("UNARY", ADD), ("FOR_ITER", LOOP), ("LOAD_ATTR", GET),
        ("LOAD_METHOD", GET), ("STORE_ATTR", PUT), ("STORE_GLOBAL", PUT), ("CALL", BUILTIN),
    ):  # fmt: skip
        if name.startswith(start):
            return kind
    return FREE


def table(prices: dict[str, float], here: dict[str, float]) -> list[float]:
    """us per class; `builtin` and `branch` by the ratios measured here (ns of primitives.py)."""
    full = dict(prices)
    full["builtin"] = prices["call"] * here["builtin"] / here["call"]
    full["branch"] = prices["compare"] * here["branch"] / here["compare"]
    return [full[c] for c in CLASSES]


def measured(here: dict[str, float]) -> list[float]:
    """us per class on this machine's unix port; what primitives.py does not time is the laptop's."""
    return [here[c] / 1000 if c in here else LAPTOP[c] for c in CLASSES]
