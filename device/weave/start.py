"""Building a node: drivers from the board description, parts from the configuration, each with what it needs.

In: `board`, the dictionary compiled from boards/*.toml; `fs`, a filesystem (methods of VfsLfs2); the console's two
streams; `cause`, machine.reset_cause(). Out: a `Node` ready to tick.
"""

from .affect import Affect
from .damp import Damp
from .drivers import Hardware
from .drivers.storage import Nvs
from .keep import Keep
from .light import Light, Site
from .light.scenes import find
from .mesh import Mesh, seal
from .node import Node
from .sense import Sense

_SCENE = const(1)  # kinds of events, as in mesh/README.md
_POLICY = const(2)
_IDENTIFY = const(4)
_PING = const(6)
_VISITOR = const(7)
_NOTES = const(9)


def start(board, fs, stdin, stdout, cause):
    """A node ready to tick, or None in safe mode: a glow of amber. Boots are counted first: hardware may raise."""
    keep = Keep(fs, Nvs("weave"), None, cause)
    try:
        if keep.safe:  # no tick will come that finds a quiet moment for them
            keep.notes.save()
        hardware = Hardware(board, stdin, stdout)
        hardware.fit(keep.config)
        if not keep.safe:
            return compose(hardware, keep)
        glow(hardware.strand)
    except Exception as e:
        if not keep.safe:  # safe mode needs no strand, but a console
            keep.note("start", e, 0)
            keep.notes.save()
            raise e
    return None


def glow(strand):
    """Safe mode: every sixth pixel a dim amber."""
    r, g = strand.order[0], strand.order[1]
    for i in range(0, strand.n * strand.channels, 6 * strand.channels):
        strand.buf[i + r] = 12
        strand.buf[i + g] = 5
    strand.show()


def compose(hardware, keep):
    """The parts, each with what it needs."""
    board = hardware.board
    config = keep.config
    own = hardware.radio.own
    node = config.node or 1 + (own[4] << 8 | own[5]) % 65534
    cal = config.skin_cal or board["skin"].get("cal", 2048)
    sense = Sense(hardware.pulse, hardware.skin, cal * 8, config.skin_gain)
    affect = Affect(sense)
    mesh = Mesh(hardware.radio, hardware.nvs, seal.load(hardware.nvs), node, config.cluster_max)
    damp = Damp(node)
    light = Light(hardware.strand, site(config, board["strand"]))
    made = Node(hardware, keep, sense, affect, mesh, damp, light)
    light.set_scene(max(0, find(config.scene)), 0)
    on = mesh.on  # which part an event of the mesh belongs to
    on(_SCENE, light.on_scene)
    on(_VISITOR, light.on_scene)
    on(_POLICY, made.on_policy)
    on(_PING, made.on_ping)
    on(_IDENTIFY, made.on_identify)
    on(_NOTES, made.on_notes)
    return made


def site(config, strand):
    """Where the strand hangs and what may feed it, from configuration and board."""
    return Site(
        config.x,
        config.y,
        config.z,
        budget_ma=config.budget_ma or strand["budget_ma"],
        brightness=config.brightness,
    )
