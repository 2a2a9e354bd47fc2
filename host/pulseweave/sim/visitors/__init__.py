"""Crowds for the simulator: built-in models, recordings, and other people's plug-ins.

A crowd is any object with `step(t_s, dt_s, light: float[nodes]) -> dict`: `arousal` float[nodes] 0..1 (the truth) and
`touching` bool[nodes]; optionally `valence` -1..1, `ppg` volts at 100 Hz [nodes, k], `eda` microsiemens at 8 Hz
[nodes, m]. Its class is called as CLASS(seed, nodes, **scenario).
"""

import importlib
import inspect
import traceback
from pathlib import Path
from typing import Any

from pulseweave.problem import Problem

MODELS = {
    "synthetic": "pulseweave.sim.visitors.ou:OU",
    "ou": "pulseweave.sim.visitors.ou:OU",
    "bosse_treur": "pulseweave.sim.visitors.bosse_treur:BosseTreur",
    "sisa": "pulseweave.sim.visitors.sisa:SISa",
}


def load(spec: str, seed: int, nodes: int, **scenario) -> Any:
    """The crowd that `spec` names: `synthetic`, `ou`, `bosse_treur`, `sisa`, `recordings:DIR` or `MODULE:CLASS`.

    Raises Problem where there is no such crowd, or where it cannot be made.
    """
    if spec.startswith("recordings:"):
        from pulseweave.sim.visitors.recordings import Recordings

        return Recordings(seed, nodes, folder=spec.partition(":")[2], **scenario)
    target = MODELS.get(spec, spec)
    module, colon, name = target.partition(":")
    if not colon or not module or not name or module.startswith("."):
        raise Problem(
            f"visitors: no crowd called {spec!r}: use {', '.join(MODELS)}, recordings:DIR or MODULE:CLASS"
        )
    try:
        source = importlib.import_module(module)
    except ModuleNotFoundError as e:
        if e.name != module and not module.startswith(f"{e.name}."):
            raise Problem(f"visitors {spec}: importing {module} needs the missing module {e.name}") from None
        raise Problem(f"visitors {spec}: no module {module}: is its folder on PYTHONPATH?") from None
    except Exception as e:
        raise Problem(f"visitors {spec}: importing {module} failed with {said(e)}") from None
    made = getattr(source, name, None)
    if made is None:
        raise Problem(f"visitors {spec}: {module} has no class {name}")
    if not callable(made) or not callable(getattr(made, "step", None)):
        raise Problem(f"visitors {spec}: {name} is no class with step(t_s, dt_s, light)")
    try:
        inspect.signature(made).bind(seed, nodes, **scenario)
    except TypeError as e:
        raise Problem(f"visitors {spec}: {name}(seed, nodes, **scenario) does not fit: {e}") from None
    try:
        return made(seed, nodes, **scenario)
    except Problem:
        raise
    except Exception as e:
        raise Problem(f"visitors {spec}: {name}(seed, nodes, **scenario) failed with {said(e)}") from None


def said(e: Exception) -> str:
    """What somebody else's code raised, and where, in one line."""
    at = traceback.extract_tb(e.__traceback__)[-1]
    text = f"{type(e).__name__}: {' '.join(str(e).split())}"
    # a text that cannot be read tells where by itself
    return text if isinstance(e, SyntaxError) else f"{text} ({Path(at.filename).name}, line {at.lineno})"
