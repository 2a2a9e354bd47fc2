"""The fault campaign: small and fixed here, large in `make soak`; the bugs it must find; its replay and its shrinking."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from pulseweave.paths import ROOT
from pulseweave.problem import Problem
from pulseweave.sim.campaign import checks, command
from pulseweave.sim.campaign import room as campaign_room
from pulseweave.sim.campaign.faults import CLASSES, Fault, draw, keep
from pulseweave.sim.campaign.mutations import MUTATIONS, Mutation, mutant
from pulseweave.sim.campaign.pool import Job
from pulseweave.sim.campaign.run import run
from pulseweave.sim.campaign.shrink import shrink
from rooms import plan_of


def pulseweave(*words):
    line = [sys.executable, "-m", "pulseweave", *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=600)


# --- the firmware ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [3, 8, 31])
def test_fixed_rooms_live(seed):
    outcome = run(draw(seed, 220.0))
    assert outcome.failure is None, outcome.failure


def test_a_room_over_two_interpreters_is_the_same_room():
    """Each knows everybody, and starts its own nodes' clocks, not the other's."""
    plan = plan_of(Fault("reset", 20.0, 1.0, 2), nodes=3, seconds=100.0)
    plan.boot_ms = [0, 5_000, 900_000]
    one, two = run(plan), run(plan, workers=2)
    assert one.failure is None, one.failure
    assert (one.digest, one.failure) == (two.digest, two.failure)


def test_each_part_may_raise_and_the_rest_goes_on():
    """Sensor, radio, console, filesystem at once, on a board each; a strand that stays dark would be a failure."""
    kinds = ("sensor_raises", "radio_raises", "console_raises", "flash_refuses")
    plan = plan_of(*[Fault(kind, 20.0, 25.0, node) for node, kind in enumerate(kinds)], nodes=4)
    outcome = run(plan)
    assert outcome.failure is None, outcome.failure
    assert [f.kind for f in outcome.fates if f.survived] == list(kinds)
    assert outcome.resets == 0


def test_a_dead_strand_is_the_watchdogs_and_then_safe_modes():
    """The strand raises for 40 s: the watchdog bites, starts fail, five crashes are safe mode; a pulled plug mends it."""
    outcome = run(plan_of(Fault("strand_raises", 20.0, 40.0, 0), seconds=260.0))
    assert outcome.failure is None, outcome.failure
    assert outcome.resets >= 5


def test_crashes_are_safe_mode_and_power_storms_are_not():
    for kind, resets in (("crash_storm", 7), ("power_storm", 10)):
        outcome = run(plan_of(Fault(kind, 20.0, 40.0, 0, resets), seconds=200.0))
        assert outcome.failure is None, outcome.failure
        # seven crashes: five to safe mode, two more in it, then somebody pulls the plug
        assert outcome.resets == resets + (kind == "crash_storm"), outcome


def test_a_deploy_leads_out_of_safe_mode():
    """It ends with a soft reset, which is no crash: nobody has to pull a plug."""
    outcome = run(plan_of(Fault("crash_storm", 20.0, 4.0, 0, 5), Fault("reset", 45.0, 4.0, 0, 5)))
    assert outcome.failure is None, outcome.failure
    assert outcome.resets == 6, outcome


def test_power_cut_at_every_flash_operation_of_a_save():
    """One node after the other is cut off at the next operation, until one gets through: whole configurations everywhere."""
    nodes = 8
    plan = plan_of(*[Fault("power_cut_in_write", 16.0, 6.0, k, 1 + k) for k in range(nodes)], nodes=nodes)
    outcome = run(plan, until_s=40.0)
    assert outcome.failure is None, outcome.failure
    assert 5 <= outcome.resets < nodes


# --- the campaign ------------------------------------------------------------------------------------------------------


def found(m: Mutation, folder: Path, seeds, plan):
    """One of a few rooms must notice, and name an invariant that this bug breaks."""
    place = mutant(m, folder)
    for seed in seeds:
        failure = run(plan(seed), place).failure
        if failure:
            assert failure.invariant in m.breaks, failure
            return
    raise AssertionError("the campaign did not notice")


def smallest(m: Mutation, folder: Path):
    """The smallest campaign known to find it; a firmware that moved on may need the next seed or the one after."""
    found(m, folder, range(m.seed, m.seed + 4), lambda seed: draw(seed, m.seconds, m.nodes, m.kinds))


@pytest.mark.parametrize("m", [m for m in MUTATIONS if m.quick], ids=lambda m: m.name)
def test_finds(m, tmp_path):
    smallest(m, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("m", [m for m in MUTATIONS if not m.quick], ids=lambda m: m.name)
def test_finds_in_longer_runs(m, tmp_path):
    smallest(m, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("m", MUTATIONS, ids=lambda m: m.name)
def test_finds_with_every_class_drawn(m, tmp_path):
    """The campaign as it is run, not the smallest one: within thirty rooms of ten minutes."""
    found(m, tmp_path, range(1, 31), lambda seed: draw(seed, 600.0))


def test_every_mutation_still_fits_the_firmware(tmp_path):
    assert len(MUTATIONS) >= 10
    for k, m in enumerate(MUTATIONS):
        mutant(m, tmp_path / str(k))
    with pytest.raises(Problem, match="0 times"):
        mutant(Mutation("x", (("node.py", "no such text", ""),), (), ()), tmp_path / "none")


def test_same_seed_same_room_in_bytecode_and_in_machine_code():
    plan = draw(6, 180.0, 2)
    first, second = run(plan, until_s=55.0), run(plan, until_s=55.0, native=False)
    assert plan.faults[0].at_s < 50 and first.digest == second.digest
    assert [f.recovery_s for f in first.fates] == [f.recovery_s for f in second.fates]


def test_a_failing_seed_is_shrunk_and_its_command_replays_it(tmp_path):
    m = next(m for m in MUTATIONS if m.name == "the watchdog is always fed")
    place = mutant(m, tmp_path)
    kinds = "strand_raises,clock_jump,radio_desync"
    line = ["campaign", "--seeds", "1", "--first", "4", "--hours", "0.06", "--nodes", "1", "--kinds", kinds]
    done = pulseweave(*line, "--firmware", str(place), "--workers", "1", "--json", "-")
    assert done.returncode == 1, done.stderr
    [failure] = json.loads(done.stdout)["failures"]
    assert failure["invariant"] == "watchdog" and failure["faults_drawn"] > len(failure["faults"]) == 1
    again = pulseweave(*failure["command"].split()[1:])
    assert again.returncode == 1 and "watchdog" in again.stdout and "Traceback" not in again.stderr
    assert f"{failure['t_s']:g} s" in again.stdout


def test_a_long_room_that_is_stopped_tells_what_it_brought():
    def beat(t_s):
        if t_s >= 120:
            raise KeyboardInterrupt

    outcome = run(draw(3, 7200.0, 1, ()), beat=beat)
    assert (outcome.seconds, outcome.failure, outcome.resets) == (120.0, None, 0) and outcome.cpu_s > 0


def test_rooms_that_were_whole_when_a_campaign_was_stopped_count(monkeypatch):
    ended = run(draw(3, 180.0, 1, ()), until_s=1.0)

    def every(job, seeds, workers, each):
        each(msgspec.structs.replace(ended, seed=seeds[1]))
        each(msgspec.structs.replace(ended, seed=seeds[0]))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "every", every)
    assert [o.seed for o in command.gathered(Job(180.0), [7, 8, 9], 2)] == [7, 8]


def test_the_numbers_of_pings_come_again(monkeypatch):
    """After 83 hours, which is half of a week."""
    monkeypatch.setattr(campaign_room, "PING_IDS", 12)
    assert run(plan_of(nodes=2)).failure is None


def test_the_heap_is_weighed_every_hour(monkeypatch):
    monkeypatch.setattr(checks, "HOUR_S", 50.0)
    plan = draw(3, 180.0, 1, ())
    outcome = run(plan)
    assert outcome.failure is None and len(outcome.floors) == 3
    monkeypatch.setattr(checks, "GROWTH", -1 - outcome.floors[1])  # any growth at all, and none, is too much
    outcome = run(plan)
    assert outcome.failure and (outcome.failure.invariant, outcome.failure.t_s) == ("heap", 49.98)


def test_shrink_finds_a_pair():
    plan = draw(5, 1200.0)
    a, b = plan.numbers[2], plan.numbers[-2]
    small, runs = shrink(plan, "late", lambda p: "late" if {a, b} <= set(p.numbers) else None)
    assert small.numbers == [a, b] and small.faults == [plan.faults[a], plan.faults[b]] and runs <= 60


def test_draw_is_the_seeds_alone_and_leaves_time_to_recover():
    kinds = set()
    for seed in range(60):
        plan = draw(seed, 600.0)
        assert plan == draw(seed, 600.0) and plan != draw(seed + 1, 600.0)
        assert 1 <= plan.nodes <= 5 and all(f.end_s <= 600 - 129 and f.node < plan.nodes for f in plan.faults)
        kinds |= {f.kind for f in plan.faults}
    assert kinds == set(CLASSES)
    assert draw(3, 600.0, kinds=()).faults == []
    assert keep(plan, [1]).faults == [plan.faults[1]]


@pytest.mark.parametrize(
    "words,says",
    [
        (["--hours", "0.01"], "3 minutes"),
        (["--kinds", "gremlins"], "no such class"),
        (["--faults", "1"], "--seed"),
        (["--seed", "1", "--faults", "999"], "--faults 999"),
        (["--seed", "1", "--faults", "x"], "--faults x"),
        (["--firmware", "/nowhere"], "no firmware there"),
        (["--seeds", "0"], "--seeds"),
    ],
)
def test_bad_input_is_one_line(words, says):
    done = pulseweave("campaign", *words)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


def test_a_script_can_be_shown():
    done = pulseweave("campaign", "--seed", "7", "--show")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1 + len(draw(7, 600.0).faults)
