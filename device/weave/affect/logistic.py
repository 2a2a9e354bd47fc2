"""Logistic function in integers. In: z in Q10 (1024 = 1.0). Out: Q12 (4096 = 1.0), error < 4."""

from micropython import const

_STEP = const(256)
_LAST = const(28)  # table to z = 7

# fmt: off
#: round(4096 / (1 + exp(-k / 4))) for k = 0..28
TABLE = (
    2048, 2303, 2550, 2782, 2994, 3184, 3349, 3490, 3608, 3705, 3785, 3850, 3902, 3943, 3976,
    4002, 4022, 4038, 4051, 4061, 4069, 4075, 4079, 4083, 4086, 4088, 4090, 4091, 4092,
)
# fmt: on


def logistic(z):
    """4096 / (1 + exp(-z / 1024)), linear between the points of the table."""
    a = z if z >= 0 else -z
    k = a // _STEP
    if k >= _LAST:
        y = TABLE[_LAST]
    else:
        y = TABLE[k]
        y += ((TABLE[k + 1] - y) * (a - k * _STEP)) // _STEP
    return y if z >= 0 else 4096 - y
