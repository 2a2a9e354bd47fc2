"""The curves of the light, made once at import and never written: raised cosine and gamma.

SINE   256 x 0..16384, one cycle from dark to dark (smoothstep of a triangle, within 1 % of a raised cosine)
GAMMA  256 x 0..4096, v*v*(1+v)/2: a gamma that runs from 2.0 in the dark to 2.5 at full, 2.35 in the middle
"""

from array import array

SINE = array("H", [(t * t * (384 - 2 * t)) >> 7 for t in [128 - abs(128 - i) for i in range(256)]])
GAMMA = array("H", [(((i * i * (255 + i)) >> 8) * 4129) >> 17 for i in range(256)])
