"""`pulseweave replay`: one recorded node run again, or a stored gathering looked at again."""

import rich_click as click

from pulseweave.problem import Problem
from pulseweave.results import write_json


@click.command()
@click.argument("file")
@click.option("--node", type=int, default=0, show_default=True, help="Which node to run again, from 0.")
@click.option("--json", "json_file", metavar="FILE", help="Write the comparison as JSON; - is stdout.")
@click.option(
    "--web", metavar="HOST:PORT", default="127.0.0.1:8082", show_default=True, help="A gathering's page."
)
@click.option("--from", "since", metavar="T", help="A gathering from here: 2026-11-22T20:30, -2h ...")
@click.option("--to", "until", metavar="T", help="And to here.")
def replay(file, node, json_file, web, since, until):
    """Look at a stored gathering again, or run one recorded node on its recorded input.

    A gathering (a store's file or URL) is shown on the page with a slider over its time; of a node every pixel and frame
    is compared.

    Example: pulseweave replay gathering.db; pulseweave replay evening.weave --node 3
    """
    from pulseweave.gather.archive import is_store, show

    if is_store(file):
        show(file, web, since, until)
        return
    from pulseweave.sim.recording import replay as again
    from pulseweave.sim.workers import WorkerFailure

    try:
        result = again(file, node)
    except WorkerFailure as e:
        click.echo(f"{e}", err=True)
        raise Problem(f"node {node} fails in the replay as well (above)", code=1) from None
    same = result["pixels_equal"] and result["frames_equal"]
    write_json(json_file, result, None)
    if json_file != "-":
        click.echo(f"node {node}: {result['ticks']} ticks, " + ("every bit the same" if same else
                   f"first difference at {result['first_difference_s']} s"))  # fmt: skip
    if not same:
        raise Problem("the replay differs: the firmware or the simulator changed since the recording", code=1)
