"""One score of one bench: every enhancer against identity, every +lfpv against its base."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.compare import Difference, Report, compare, overall, with_holm
from pipeline.compare.report import LOWER_IS_BETTER, notes
from pipeline.report.benches import Bench
from pipeline.report.collect import main_scores
from pipeline.report.published import Published, published
from pipeline.report.rows import Pair
from pipeline.result import Score


@dataclass(frozen=True)
class Column:
    """The main score of a split, on one bench.

    Attributes:
        report: every other row against identity; None where one of the two is missing.
        pairs: +lfpv against base or control, a Holm family of their own.
        beside: published figures that may stand beside.
        apart: published figures that may not, and why.
    """

    bench: Bench
    score: str
    report: Report | None
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
        return self.score.split("/")[1]

    @property
    def scores(self) -> dict[str, Score]:
        """Row's label → score."""
        return {label: one.scores[self.score] for label, one in self.bench.labelled.items()}

    @property
    def to_identity(self) -> dict[str, Difference]:
        """Row's label → difference to identity."""
        comparisons = self.report.comparisons if self.report else ()
        return {one.enhancer: one.overall for one in comparisons}

    @property
    def to_base(self) -> dict[str, Difference]:
        """Pair's label → +lfpv − base."""
        return {pair.label: difference for pair, difference in self.pairs.items()}

    def notes(self) -> list[str]:
        """What a reader of the differences must know."""
        found = self.report.notes if self.report else []
        results = list(self.bench.labelled.values())
        return list(dict.fromkeys([*found, *notes(results, self.pairs.values())]))


def columns(bench: Bench, pairs: Sequence[Pair]) -> list[Column]:
    """A column for every split of a bench; published figures join the headline's."""
    return [_column(bench, score, pairs) for score in main_scores(bench.one)]


def _column(bench: Bench, score: str, pairs: Sequence[Pair]) -> Column:
    labelled, identity = bench.labelled, bench.identity
    report = compare(labelled, identity, score) if identity and len(labelled) > 1 else None
    here = [pair for pair in pairs if {pair.base, pair.lfpv} <= bench.results.keys()]
    measured = [
        overall({p.base.label: labelled[p.base.label], p.lfpv.label: labelled[p.lfpv.label]}, score)
        for p in here
    ]
    family = with_holm((one for (one,) in measured), score.split("/")[1] in LOWER_IS_BETTER)
    column = Column(bench, score, report, dict(zip(here, family, strict=True)))
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
