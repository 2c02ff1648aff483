"""`pipeline data`: list, check, unpack, sample."""

from argparse import Namespace

from pipeline.console import stdout
from pipeline.errors import PipelineError
from pipeline.factory import create_task
from tasks import archives, check, sample
from tasks.protocol import task_cards


def list_data(_arguments: Namespace) -> None:
    """What each task needs, where it is published and under which terms."""
    console = stdout()
    for card in task_cards():
        console.print(f"[bold]{card.name}[/bold]  {card.title}, {card.metric}")
        splits = ", ".join(f"{name} {count}" for name, count in card.splits.items())
        lines = {"layout": card.layout, "images": splits, "published": card.published}
        for key, value in (lines | {"terms": card.terms}).items():
            if value:
                print(f"  {key}: {value}")
        for protocol in card.protocols.values():
            default = " (default)" if protocol.name == card.default_protocol else ""
            line = f"  protocol {protocol.name} v{protocol.version}{default}: {protocol.about}"
            print(line)


def check_data(arguments: Namespace) -> None:
    """Read every image and label of a dataset and say what is wrong with it."""
    task = create_task(arguments.task, arguments.root, arguments.protocol)
    report = check.check(task)
    for line in report.facts:
        print(line)
    for line in report.problems:
        print(f"problem: {line}")
    if report.problems:
        raise PipelineError(f"{len(report.problems)} problems in the data of {task.name}")
    print("all images and labels are readable and fit together")


def unpack_codan(arguments: Namespace) -> None:
    """Join and unpack CODaN's archives; the archives stay where they are."""
    for line in archives.unpack_codan(arguments.root):
        print(line)


def render_sample(arguments: Namespace) -> None:
    """Render the sample scenes in the official layouts."""
    sample.render(arguments.out, parts=("test", "train"))
    print(f"sample scenes: {arguments.out}")
