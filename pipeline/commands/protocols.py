"""`pipeline protocols`: every evaluation protocol, and what it means."""

from argparse import Namespace
from collections.abc import Iterator

from pipeline import zoo
from pipeline.errors import PipelineError
from tasks.protocol import Protocol, TaskCard, task_cards

EIGHT_BIT = {
    "round": "rounded to the nearest of 256 levels after the enhancer, as when saved in between",
    "truncate": "truncated to 256 levels after the enhancer, as many released scripts do",
    "none": "none: the enhanced image stays in floating point",
}
RULES = {
    "classification": "every image counts",
    "segmentation": "one confusion matrix over the split; void is not scored, and a pixel that an "
    "evaluator with a void output predicts void is a miss; a class absent from the truth but "
    "predicted scores 0 and counts, one absent from both does not",
    "submission": "void is never predicted",
    "restoration": "per image, then averaged",
}


def protocols(arguments: Namespace) -> None:
    """List the protocols of all tasks, or explain those of one task."""
    cards = {card.name: card for card in task_cards()}
    if arguments.task is None:
        for card in cards.values():
            for protocol in card.protocols.values():
                mark = "*" if protocol.name == card.default_protocol else ""
                heading = f"{card.name}  {protocol.name}{mark} v{protocol.version}"
                print(f"{heading}: {protocol.about}")
        print("* default. `pipeline protocols TASK [PROTOCOL]` explains them.")
        return
    if arguments.task not in cards:
        raise PipelineError(f"no task '{arguments.task}'; there are {', '.join(cards)}")
    card = cards[arguments.task]
    for name in [arguments.protocol] if arguments.protocol else card.protocols:
        protocol = card.protocol(name)
        default = " (default)" if protocol.name == card.default_protocol else ""
        print(f"{card.name}  {protocol.name} v{protocol.version}{default}")
        for key, words in explained(card, protocol):
            print(f"  {key}: {words}")


def explained(card: TaskCard, protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Every field of a protocol in words, and what of its task belongs to it."""
    if protocol.about:
        yield "about", protocol.about
    yield "8 bits", EIGHT_BIT[protocol.eight_bit]
    if card.kind == "restoration":
        matched = "scaled to the truth's mean grey level first: it tells the enhancer the answer's"
        yield "brightness", matched if protocol.match_brightness else "as enhanced"
    else:
        yield "size", _size(protocol)
    if card.kind in ("segmentation", "submission"):
        yield "scored", _scored(card, protocol)
    if card.kind == "segmentation":
        pattern = card.labels.get(protocol.labels, "your own")
        yield "labels", f"{protocol.labels}: {pattern}" if card.labels else pattern
    if card.kind != "restoration":
        named = card.classes or ()
        yield "classes", f"{len(named)}: {', '.join(named)}" if named else "classes.yaml, or yours"
    yield "score", f"{card.metric}; {RULES[card.kind]}"
    yield "evaluator", ", ".join(_evaluators(card, protocol)) or "yours: --evaluator"
    splits = ", ".join(f"{split} with {count} images" for split, count in card.splits.items())
    scenes = "the sample scenes" if protocol.name == "sample" else ""
    yield "split", scenes or splits or "all images of the folder"
    yield "published figures", card.beside.get(protocol.name) or "it stands beside none"


def _size(protocol: Protocol) -> str:
    if protocol.size is None:
        return "the evaluator sees the image at its own size, or at the one it was trained on"
    height, width = protocol.size
    filter = protocol.filter.capitalize()
    return f"the evaluator sees {width}x{height} pixels (width x height), {filter}, antialiased"


def _scored(card: TaskCard, protocol: Protocol) -> str:
    if card.kind == "submission":
        return "at the size of the source" + (
            ", the prediction enlarged by nearest neighbour" if protocol.score_at == "input" else ""
        )
    if protocol.score_at == "input":
        height, width = protocol.size
        return f"at {width}x{height}, the label reduced by nearest neighbour"
    return "at the size of the label" + (", logits enlarged bilinearly" if protocol.size else "")


def _evaluators(card: TaskCard, protocol: Protocol) -> Iterator[str]:
    if card.kind == "restoration":
        yield "none but LPIPS's AlexNet"
    listed = zoo.entries("evaluators")
    if name := zoo.default_evaluator(card.name, protocol.name == "sample"):
        yield f"{name} (default, {_where(listed[name])})"
    if card.quick_evaluator and protocol.name != "sample":
        yield f"{card.quick_evaluator} (small and quick, {_where(listed[card.quick_evaluator])})"


def _where(entry: zoo.Entry) -> str:
    return "here" if zoo.is_here(entry) else "not here yet"
