"""What the host is shown of a node, at a few times a second: one packed record of its parts' attributes.

The names go to the host when the fleet is built, so the table below is the only place that knows the layout.
"""

from struct import pack_into

# (name, part, attribute, struct letter)
FIELDS = (
    ("contact", "sense", "contact", "B"),
    ("quality", "sense", "quality", "B"),
    ("beats", "sense", "beats", "H"),
    ("hr_q4", "sense", "hr_q4", "H"),
    ("rmssd_q4", "sense", "rmssd_q4", "H"),
    ("scl_ns", "sense", "scl_ns", "I"),
    ("scrs", "sense", "scrs", "H"),
    ("sense_faults", "sense", "faults", "B"),
    ("arousal", "affect", "arousal", "h"),
    ("fast", "affect", "fast", "h"),
    ("valence", "affect", "valence", "h"),
    ("confidence", "affect", "confidence", "B"),
    ("fast_confidence", "affect", "fast_confidence", "B"),
    ("visitor", "affect", "visitor", "H"),
    ("level", "damp", "level", "h"),
    ("own", "damp", "own", "h"),
    ("collective", "damp", "collective", "h"),
    ("g", "damp", "g", "h"),
    ("rho", "damp", "rho", "h"),
    ("ratio_q8", "damp", "ratio_q8", "i"),
    ("synchrony", "damp", "synchrony", "h"),
    ("spread", "damp", "spread", "h"),
    ("growth", "damp", "growth", "i"),
    ("contagion", "damp", "contagion", "B"),
    ("opted_out", "damp", "opted_out", "B"),
    ("ma", "light", "ma", "H"),
    ("limited", "light", "limited", "B"),
    ("scene", "light", "scene", "B"),
    ("frames", "light", "frames", "I"),
    ("neighbours", "mesh", "neighbours", "H"),
    ("synced", "mesh", "synced", "B"),
    ("sent", "mesh", "sent", "I"),
    ("received", "mesh", "received", "I"),
    ("rejected", "mesh", "rejected", "I"),
    ("duplicates", "mesh", "duplicates", "I"),
)
EXTRA = (("faults", "I"), ("mesh_ms", "I"), ("now", "I"))  # filled from calls, not attributes
NAMES = [f[0] for f in FIELDS] + [e[0] for e in EXTRA]
FORMAT = "<" + "".join(f[3] for f in FIELDS) + "".join(e[1] for e in EXTRA)
MASKS = {"B": 0xFF, "H": 0xFFFF, "I": 0x3FFFFFFF}


def record(node, now, buf, at):
    """Pack one node's record into buf[at:]."""
    values = []
    for _, part, attribute, letter in FIELDS:
        v = int(getattr(getattr(node, part), attribute, 0))
        mask = MASKS.get(letter)
        values.append(v & mask if mask else v)
    values.append(sum(node.supervisor.faults))
    values.append(node.mesh.time(now) & 0x3FFFFFFF)
    values.append(now)
    pack_into(FORMAT, buf, at, *values)
