"""`pulseweave gather`: gateways in; a store, a broker, a page out, until Ctrl-C."""

import contextlib
import logging
import math
import signal
import sys
import threading
import time
import tomllib
from pathlib import Path

import rich_click as click

from pulseweave.problem import Problem
from pulseweave.results import write_json

SIM = "127.0.0.1:8080"
log = logging.getLogger("pulseweave.gather")


@click.command()
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="PORT",
    help="A gateway node: /dev/ttyUSB0, socket://HOST:PORT.",
)
@click.option(
    "--sim",
    "sims",
    multiple=True,
    is_flag=False,
    flag_value=SIM,
    metavar="HOST:PORT",
    help=f"A running `pulseweave sim`, by its page ({SIM} where none is given).",
)
@click.option(
    "--db",
    default="sqlite:///gathering.db",
    show_default=True,
    metavar="URL|off",
    help="Where to keep it: sqlite:///FILE, postgresql://..., or off.",
)
@click.option(
    "--mqtt", metavar="URL", help="A broker to tell: mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts://..."
)
@click.option("--site", default="room", show_default=True, help="This room's name: in topics and titles.")
@click.option(
    "--strands",
    "plan",
    metavar="FILE",
    help="Where strands hang: TOML with [[strand]] node, x, y, z, pixels.",
)
@click.option(
    "--web",
    default="127.0.0.1:8081",
    show_default=True,
    metavar="HOST:PORT|off",
    help="Where the page is served.",
)
@click.option("--seconds", type=float, help="End after so long (otherwise with Ctrl-C).")
@click.option(
    "--json", "json_file", metavar="FILE", help="Write what was kept, at the end, as JSON (`-` = stdout)."
)
def gather(ports, sims, db, mqtt, site, plan, web, seconds, json_file):
    """Gather what gateway nodes hear of their cluster: keep it, show it, tell a broker.

    Example: pulseweave gather --port /dev/ttyUSB0 --db sqlite:///evening.db
    """  # fmt: skip
    from pulseweave.gather.collector import Collector
    from pulseweave.gather.line import simulation
    from pulseweave.gather.room import Room, Strand
    from pulseweave.gather.store import open_store
    from pulseweave.gather.store.db import Unavailable
    from pulseweave.gather.table import Table
    from pulseweave.gather.web.address import address

    if not ports and not sims:
        raise Problem(
            "nothing to gather from: name a gateway with --port, or a running simulation with --sim"
        )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    where = address(web)
    names, strands = list(ports), [Strand(s) for s in read_strands(plan)] if plan else []
    for sim in sims:
        offered = simulation(sim)
        names += [f"sim://{sim}/{node}" for node in offered["gateways"]]
        strands = strands or [Strand(s) for s in offered["strands"]]
    store = None
    try:
        store = None if db == "off" else open_store(db)
        if store and strands:
            store.hang([(s["node"], s["name"], s["x"], s["y"], s["z"], s["pixels"]) for s in strands])
    except Unavailable as e:
        raise Problem(f"{e}: try again", 1) from None
    table = Table()
    with contextlib.ExitStack() as house:
        teller = None
        if mqtt:
            from pulseweave.gather.mqtt import Teller

            teller = Teller(mqtt, site, db, table, strands, names)
        collector = Collector(store, table.hear, teller.letters if teller else None)
        if teller:
            teller.runs = collector.told.known

        def words() -> str:
            said = [g.trouble for g in collector.gateways if g.trouble]
            said += [t for t in (collector.trouble, teller.trouble if teller else "") if t]
            many = len(collector.gateways)
            return (
                "; ".join(said)
                or f"{many} {'gateway' if many == 1 else 'gateways'}, {collector.heard} packets"
            )

        def mesh_ms(now_ms: int) -> int:
            best = max(collector.gateways, key=lambda g: g.mesh_at_s, default=None)
            return (
                round((time.monotonic() - best.mesh_at_s) * 1000) + best.mesh_ms
                if best and best.known
                else now_ms
            )

        room = Room(table, strands, mesh_ms=mesh_ms, title=site, words=words, told=collector.told)
        server = None
        if where:
            from pulseweave.gather.web.server import serve

            server = serve(room, *where)
            house.callback(server.stop)
            threading.Thread(target=room.run, name="draw", daemon=True).start()
            server.start()
            click.echo(f"the room shines at {server.url}   (Ctrl-C ends it)", err=True)
        house.callback(room.close)
        if teller:
            teller.start()
            house.callback(teller.stop)
        collector.start(names)
        wait(seconds, collector)
        kept = collector.stop()
        left = len(collector._waiting)
    c = None
    if store:
        with contextlib.suppress(Exception):
            if kept:
                c = store.counts()
                click.echo(
                    f"{c['packets']} packets of {c['visitors']} visits kept, {c['missed']} missed by number, "
                    f"{c['lost']} lost before they were asked for", err=True,
                )  # fmt: skip
        store.close()
    write_json(json_file, {"heard": collector.heard, "kept": collector.kept, "waiting": left, "store": c})
    if not kept:
        raise Problem(f"the store would not take the last {left} packets: {collector.trouble}", 1)


def wait(seconds: float | None, collector) -> None:
    """Until the time is over or somebody ends it. Raises the Problem of a gateway that can never work."""
    end = threading.Event()
    before = [(s, signal.signal(s, lambda *_: end.set())) for s in (signal.SIGINT, signal.SIGTERM)]
    try:
        until = None if seconds is None else time.monotonic() + seconds
        while not end.wait(0.2):
            if collector.failed:
                raise collector.failed[0]
            if until and time.monotonic() > until:
                break
            if sys.stderr.isatty():
                print(
                    f"\r{collector.heard} packets heard, {collector.kept} kept",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
    finally:
        for s, old in before:
            signal.signal(s, old)


def read_strands(file: str) -> list[dict]:
    """The strands of a plan. Raises Problem with the place of what is wrong."""
    try:
        body = tomllib.loads(Path(file).read_text())
    except OSError as e:
        raise Problem(f"--strands {file}: {e.strerror}: name a TOML file with [[strand]] tables") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Problem(f"--strands {file}: not TOML ({e})") from None
    out, pixels = [], None
    listed = body.get("strand", [])
    for i, s in enumerate(listed if isinstance(listed, list) else [listed], 1):
        try:
            strand = {"node": int(s["node"]), "name": str(s.get("name", s["node"])), "pixels": int(s.get("pixels", 60)),
                      **{k: float(s[k]) for k in "xyz"}}  # fmt: skip
        except (KeyError, TypeError, ValueError) as e:
            raise Problem(f"--strands {file}: strand {i}: {e!r}: it needs node, x, y, z (metres)") from None
        if not all(math.isfinite(strand[k]) for k in "xyz"):
            raise Problem(f"--strands {file}: strand {i}: x, y, z are metres")
        if not 0 < strand["node"] < 65535 or not 0 < strand["pixels"] <= 1024:
            raise Problem(f"--strands {file}: strand {i}: node is 1 to 65534, pixels 1 to 1024")
        pixels = pixels or strand["pixels"]
        if strand["pixels"] != pixels:
            raise Problem(
                f"--strands {file}: strand {i}: all strands of a page have as many pixels ({pixels})"
            )
        out.append(strand)
    if not out or len({s["node"] for s in out}) != len(out):
        raise Problem(f"--strands {file}: at least one [[strand]] is needed, and no node twice")
    return out
