"""One score of one bench: every enhancer against identity, every +lfpv against its base."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.compare import Difference, Report, between, compare, with_holm
from pipeline.compare.images import main_scores
from pipeline.compare.report import notes
from pipeline.report.benches import BenchResults
from pipeline.report.published import Published, published
from pipeline.report.rows import Pair
from pipeline.result import Score, lower_is_better, metric_of


@dataclass(frozen=True)
class Column:
    """The main score of a split, on one bench.

    Attributes:
        to_identity: row's label → its difference to identity; one family of Holm's correction.
        pairs: +lfpv against base or control, a family of their own.
        beside: published figures that may stand beside.
        apart: published figures that may not, and why.
    """

    bench: BenchResults
    score: str
    to_identity: Mapping[str, Difference]
    pairs: Mapping[Pair, Difference]
    beside: Published | None = None
    apart: tuple[Published, str] | None = None

    @property
    def name(self) -> str:
        """`val mIoU %`."""
        return self.bench.score_name(self.score)

    @property
    def unit(self) -> str:
        return self.bench.one.scores[self.score].unit

    @property
    def metric(self) -> str:
        return metric_of(self.score)

    @property
    def scores(self) -> dict[str, Score]:
        """Row's label → score."""
        return {label: one.scores[self.score] for label, one in self.bench.labelled.items()}

    @cached_property
    def report(self) -> Report | None:
        """Every other row against identity, also by brightness and class; None where one of the two
        is missing."""
        if not self.to_identity:
            return None
        return compare(self.bench.labelled, self.bench.identity, self.score)

    @property
    def to_base(self) -> dict[str, Difference]:
        """Pair's label → +lfpv − base."""
        return {pair.label: difference for pair, difference in self.pairs.items()}

    def notes(self) -> list[str]:
        """What a reader of the differences must know."""
        found = self.report.notes if self.report else []
        results = list(self.bench.labelled.values())
        return list(dict.fromkeys([*found, *notes(results, self.pairs.values())]))


def columns(bench: BenchResults, pairs: Sequence[Pair]) -> list[Column]:
    """A column for every split of a bench; published figures join the headline's."""
    return [_column(bench, score, pairs) for score in main_scores(bench.one)]


def _column(bench: BenchResults, score: str, pairs: Sequence[Pair]) -> Column:
    labelled, identity = bench.labelled, bench.identity
    others = [label for label in labelled if identity and label != identity]
    here = [pair for pair in pairs if {pair.base, pair.lfpv} <= bench.results.keys()]
    ends = [(identity, label) for label in others] + [(p.base.label, p.lfpv.label) for p in here]
    measured = iter(between(labelled, ends, score) if ends else ())
    lower = lower_is_better(score)
    to_identity = with_holm((next(measured) for _ in others), lower)
    of_pairs = with_holm(measured, lower)
    column = Column(
        bench,
        score,
        dict(zip(others, to_identity, strict=True)),
        dict(zip(here, of_pairs, strict=True)),
    )
    return _with_published(column) if score == bench.one.headline[0] else column


def _with_published(column: Column) -> Column:
    one = column.bench.one
    known = published(one)
    if known is None:
        return column
    differing = list(known.differences(one, column.score))
    if differing:
        return replace(column, apart=(known, "; ".join(differing)))
    return replace(column, beside=known)
