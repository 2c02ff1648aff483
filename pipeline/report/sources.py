"""Where the numbers came from: environments, weights, files."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.report.benches import BenchResults

_ENVIRONMENT = ("python", "packages", "commit", "hardware")


@dataclass(frozen=True)
class Source:
    """A result's file, its bench and weights, the number of its environment, and all else."""

    file: str
    label: str
    bench: int
    weights: str
    digest: str
    training: str
    environment: int
    more: str


@dataclass(frozen=True)
class Sources:
    """`environments` are lists of (what, value), numbered from 1."""

    sources: list[Source]
    environments: list[list[tuple[str, str]]]


def sources(benches: Iterable[BenchResults]) -> Sources:
    """One entry a result; environments that several share are told once."""
    environments: dict[str, list[tuple[str, str]]] = {}
    listed = []
    for bench, row, one in ((b, *item) for b in benches for item in b.results.items()):
        provenance = one.result.provenance
        here = {name: provenance.get(name) for name in _ENVIRONMENT}
        environments.setdefault(json.dumps(here, sort_keys=True), list(_told(here)))
        number = list(environments).index(json.dumps(here, sort_keys=True)) + 1
        more = {k: v for k, v in provenance.items() if k not in _ENVIRONMENT}
        weights = provenance["enhancer"]
        listed.append(
            Source(
                one.file,
                row.label,
                bench.number,
                str(weights.get("file", weights.get("folder", ""))),
                str(weights.get("sha256", ""))[:12],
                _training(weights.get("header") or {}),
                number,
                json.dumps(more | {"protocol": one.result.protocol}, indent=1, ensure_ascii=False),
            )
        )
    return Sources(listed, list(environments.values()))


def _told(environment: dict[str, Any]) -> Iterator[tuple[str, str]]:
    packages = {"python": environment["python"], **(environment["packages"] or {})}
    yield "versions", ", ".join(f"{name} {version}" for name, version in packages.items())
    if commit := environment["commit"]:
        dirty = " with uncommitted changes" if commit.get("dirty") else ""
        yield "commit", f"{commit.get('id')}{dirty}"
    else:
        yield "commit", "none: an installed package, or not recorded"
    hardware = environment["hardware"] or {}
    yield "hardware", ", ".join(f"{name} {value}" for name, value in hardware.items())


def _training(header: dict[str, Any]) -> str:
    """Data, steps and seed, of weights that say so."""
    data = header.get("data")
    if not isinstance(data, dict):
        return ""
    parts = [f"on {data.get('name')}"]
    parts += [f"{name} {header[name]}" for name in ("steps", "seed") if name in header]
    return ", ".join(parts)
