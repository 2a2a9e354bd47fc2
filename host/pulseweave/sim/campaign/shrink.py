"""The shortest script that still fails: delta debugging (Zeller and Hildebrandt 2002, ddmin) over the faults of a seed.

In: a plan that fails, and a way to run it. Out: the plan with the fewest faults found that breaks the same invariant; of
those left none can be taken away.
"""

from collections.abc import Callable

from pulseweave.sim.campaign.faults import Plan, keep

MOST_RUNS = 60


def shrink(plan: Plan, invariant: str, breaks: Callable[[Plan], str | None]) -> tuple[Plan, int]:
    """(smaller plan, runs made). `breaks(plan)` says which invariant a run of `plan` breaks, None where none."""
    seen: dict[tuple[int, ...], bool] = {}

    def fails(numbers: list[int]) -> bool:
        key = tuple(numbers)
        if key not in seen:
            if len(seen) >= MOST_RUNS:
                return False
            seen[key] = breaks(keep(plan, numbers)) == invariant
        return seen[key]

    numbers, parts = list(plan.numbers), 2
    if fails([]):
        return keep(plan, []), len(seen)
    while len(numbers) > 1:
        size = -(-len(numbers) // parts)
        chunks = [numbers[k : k + size] for k in range(0, len(numbers), size)]
        rests = [[n for n in numbers if n not in c] for c in chunks]
        smaller = next((c for c in chunks if fails(c)), None)
        if smaller is not None:
            numbers, parts = smaller, 2
            continue
        smaller = next((r for r in rests if len(chunks) > 2 and fails(r)), None)
        if smaller is not None:
            numbers, parts = smaller, max(parts - 1, 2)
        elif parts >= len(numbers):
            break
        else:
            parts = min(2 * parts, len(numbers))
    return keep(plan, numbers), len(seen)
