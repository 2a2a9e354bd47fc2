"""What a frame of light costs on the chip, projected: count what is executed, price it by a table.

The device code runs here on CPython (it is plain Python; `micropython` is supplied) with every executed operation
traced. Prices in us on a 240 MHz ESP32 are those measured in an emulator that counts instructions, scaled to
the published pystone figure; operations inside a viper function cost `VIPER` each, loads of locals nothing.
Run it: python tests/device/light/projection.py
"""

import dis
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VIPER = 0.32
ADD, MUL, COMPARE, READ, WRITE, GET, SET, CALL, LOOP = 2.5, 4.0, 3.0, 1.9, 2.3, 1.2, 1.7, 16.7, 3.9
KERNELS = ("kernel.py",)  # compiled by viper on the chip


def price(instruction: dis.Instruction, viper: bool) -> float:
    """us of one CPython instruction as MicroPython would execute its like on the chip."""
    name, arg = instruction.opname, instruction.argrepr
    if name.startswith("BINARY_OP"):
        if arg == "[]":
            return VIPER if viper else READ
        return VIPER if viper else MUL if arg.rstrip("=") in ("*", "//", "%") else ADD
    for start, us in (
        ("COMPARE_OP", COMPARE), ("BINARY_SUBSCR", READ), ("STORE_SUBSCR", WRITE), ("UNARY_NEG", ADD),
        ("TO_BOOL", ADD), ("IS_OP", COMPARE), ("FOR_ITER", LOOP),
    ):  # fmt: skip
        if name.startswith(start):
            return VIPER if viper else us
    if name.startswith("LOAD_GLOBAL") and arg.split(" ")[0].lstrip("_").isupper():
        return 0.0  # const() is folded at compile time
    if name.startswith("CALL") and viper:
        return GET  # a cast to a pointer: a call in C, not of a Python function
    # attributes, calls and globals are as dear in viper as in bytecode
    for start, us in (("LOAD_ATTR", GET), ("STORE_ATTR", SET), ("LOAD_GLOBAL", GET), ("CALL", CALL)):
        if name.startswith(start):
            return us
    return 0.0


def projected(run, viper: bool = True) -> dict[str, float]:
    """us per function of the package `weave`, for one call of `run()`."""
    costs: dict[str, float] = {}
    tables: dict[types.CodeType, dict[int, float]] = {}

    def trace(frame, event, _):
        code = frame.f_code
        if "/weave/" not in code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        native = viper and code.co_filename.endswith(KERNELS) and not code.co_name.startswith("ptr")
        if code not in tables:
            tables[code] = {i.offset: price(i, native) for i in dis.get_instructions(code)}
        table, name = tables[code], f"{Path(code.co_filename).stem}.{code.co_name}"
        costs.setdefault(name, 0.0)

        def step(frame, event, _):
            if event == "opcode":
                costs[name] += table.get(frame.f_lasti, 0.0)
            return step

        return step

    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(None)
    return costs


def on_cpython():
    """Make device code importable here."""
    fake = types.ModuleType("micropython")
    fake.const = lambda v: v
    sys.modules.setdefault("micropython", fake)
    for p in (ROOT / "device", Path(__file__).parent):
        sys.path.insert(0, str(p))
    sys.modules.setdefault("weave.light.kernel_viper", None)  # so that the plain text is traced


def frame_ms(pixels: int, channels: int = 3, scene: int = 0) -> tuple[float, float, dict[str, float]]:
    """ms of one frame (a tick that prepares and a tick that renders), ms of its kernel, and us per function."""
    on_cpython()
    from room import Room

    r = Room(pixels, channels)
    r.set(2400, rho=1500)
    r.affect.valence = -900
    r.bpm = 72
    r.run(5000)
    if scene:
        r.light.set_scene(scene, -1)
        r.run(1000)
    costs = projected(lambda: r.run(40 * 10))
    costs = {k: v / 10 for k, v in costs.items()}
    return sum(costs.values()) / 1000, costs["kernel.frame"] / 1000, costs


if __name__ == "__main__":
    print("pixels  wire ms  frame ms  of it kernel (ESP32, 240 MHz, projected)")
    for n in (30, 60, 144, 300):
        total, kernel, costs = frame_ms(n)
        print(f"{n:6}  {n * 0.03:7.2f}  {total:8.2f}  {kernel:6.2f}")
    for k, v in sorted(frame_ms(60)[2].items(), key=lambda kv: -kv[1]):
        print(f"   {k:40} {v:8.1f} us")
