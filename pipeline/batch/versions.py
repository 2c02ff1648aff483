"""Versions of the code, as whole numbers that people raise.

Not hashes of it, so that a comment or a faster equal costs nobody a finished batch.
"""

from typing import Any

# Raise it when the meaning of an identity's fields, of a record or of a score changes.
SCHEMA = 1

# Raise a family's number whenever its output for some image may change by more than rounding. A
# plug-in states its own as the attribute `code_version` of its class; 1 where it has none.
CODE = {
    "identity": 1,
    "gamma": 1,
    "clahe": 1,
    "enlightengan": 1,
    "lednet": 1,
    "zerodcepp": 1,
    "ruas": 1,
    "sci": 1,
    "uretinex": 1,
    "images": 1,
    "onnx": 1,
    "python": 1,
}

# As CODE, for what +lfpv adds to any of them.
LFPV = 1

# As CODE, for the darkening of day images.
DARKENING = 1

# As CODE, for the way from an enhanced image to a record: each kind's evaluator and its metric.
EVALUATION = {"classification": 1, "segmentation": 1, "restoration": 1}


def code_version(base: str, factory: Any) -> int:
    """The version of an enhancer family's code."""
    return CODE.get(base) or getattr(factory, "code_version", 1)
