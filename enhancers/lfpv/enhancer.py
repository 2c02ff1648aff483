"""Joins the LFPV store to any network given as encoder part and decoder part."""

import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from torch import Tensor

from enhancers.errors import EnhancerError
from enhancers.lfpv.attention import full_precision
from enhancers.lfpv.options import read_options
from enhancers.lfpv.paths import Decode, Encode, Joined, Paths, untracked
from enhancers.lfpv.sampling import Samples, draw_positions, gather, sample
from enhancers.lfpv.store import Nodes, Store
from enhancers.lfpv.updaters import Updaters
from enhancers.tiles import fits, in_tiles, side_for, tiles


class LFPVEnhancer(Joined):
    """A network whose deep feature is enriched from learnt nodes (Xu et al., ICCV 2025).

    `encode(image) -> (feature B×c×h×w, context)` and `decode(feature, context) -> Output` (a
    NamedTuple with `image`) are bound methods of a module, registered once as `network`, or
    modules. Called on an image it gives Ī = decode(f'_d) from the stored nodes. The store adds
    l·c·(1 + k²) values and the parameters of its norms.

    `options` are the fields of `enhancers.lfpv.options.Options`; `updaters=False` builds the model
    for inference, without S and M. EnhancerError for wrong options.
    """

    def __init__(
        self, encode: Encode, decode: Decode, channels: int, updaters: bool = True, **options: Any
    ) -> None:
        chosen = read_options(options)
        super().__init__(encode, decode, channels=channels, **asdict(chosen))
        self.positions = chosen.positions
        self.store = Store(channels, chosen)
        self.learns = updaters
        updated = updaters and chosen.learn != "direct"
        self.updaters = Updaters(channels, chosen) if updated else None
        if updated and chosen.rule == "additive_raw":
            warnings.warn(
                "LFPV nodes grow without bound under rule=additive_raw; additive is bounded",
                stacklevel=2,
            )

    @property
    def trained(self) -> bool:
        """Whether the nodes ever learnt."""
        return self.store.trained

    def enhance(self, image: Tensor) -> Tensor:
        """Ī from the stored nodes; updates nothing. EnhancerError while nodes are untrained."""
        memories = self.store.recall_stored()
        reach = getattr(self.network, "reach", None)
        side = side_for(self.store.channels * len(image))
        if reach is None or fits(image, side):
            spare = not getattr(self.network, "context_holds_feature", True)
            return self._run(image, partial(self.store, memories=memories, spare=spare)).image
        fuse = partial(self.store, memories=memories, mean=self._mean(image, reach, side))
        patch = self.store.patch
        return in_tiles(
            lambda part: self._run(part, fuse).image,
            image,
            # A whole patch answers to the last of its pixels.
            reach + patch - 1,
            patch,
            self.store.channels,
        )

    def training_paths(self, image: Tensor, indices: Tensor | None = None) -> Paths:
        """Update the nodes once on `image` (B×3×H×W) and give both paths of this step.

        `indices`, B int64, number the images in the training stream: sampled positions are then
        those of each image, whatever the batch or the rank. The updated nodes carry gradient to
        S, M, e and the encoder through the LFPV path, and are stored without it. One encoder pass
        serves both paths, and the running statistics of BatchNorm behind it are those of the LFPV
        path; of a network that unfolds, the nodes learn from the f_d of round 0. With
        several ranks all of them must call this, each with equally many images. EnhancerError for
        a model built for inference, and for a feature of other channels.
        """
        if not self.learns:
            raise EnhancerError("this LFPV model was built for inference, without updaters")
        encoded = self.encode(image)
        nodes = self._updated(encoded[0], indices)
        self.store.keep(nodes)
        return self._paths(image, encoded, nodes)

    def stored_paths(self, image: Tensor) -> Paths:
        """Both paths of `image` from the stored nodes, of which none is updated.

        EnhancerError while nodes are untrained.
        """
        self.store.require_trained()
        return self._paths(image, self.encode(image), self.store.nodes)

    def inference_state_dict(self) -> dict[str, Tensor]:
        """Network and store only, for a model built with `updaters=False`."""
        state = self.state_dict()
        return {key: value for key, value in state.items() if not key.startswith("updaters.")}

    def extra_parameters(self) -> dict[str, int]:
        """What the store adds at inference: `nodes`, l·c·(1 + k²), and the rest as `norms`."""
        nodes = [value for value in self.store.nodes if value is not None]
        held = {id(value) for value in nodes}
        return {
            "nodes": sum(value.numel() for value in nodes),
            "norms": sum(p.numel() for p in self.store.parameters() if id(p) not in held),
        }

    def _mean(self, image: Tensor, reach: int, side: int) -> Tensor | None:
        """Of f_d over all positions, B×c×1×1, in a pass of its own; None where it is not asked."""
        if not self.store.centred:
            return None
        size = (image.shape[-2], image.shape[-1])
        total = 0.0
        for tile in tiles(size, reach, 1, side):
            feature = tile.inside(self.encode(tile.cut(image))[0])
            total = total + feature.sum((2, 3), keepdim=True, dtype=self.store.dtype)
        return total / (size[0] * size[1])

    def _updated(self, feature: Tensor, indices: Tensor | None) -> Nodes:
        self.store.require_fitting(feature)
        if self.updaters is None:
            return self.store.nodes
        places = draw_positions(feature, self.positions, indices)
        samples = gather(sample(feature, *places, self.store.patch), indices)
        with full_precision(feature):
            wide = Samples(*(part.to(self.store.dtype) for part in samples))
            return self.updaters(wide, self.store.nodes, self.store.updates)

    def _paths(self, image: Tensor, encoded: tuple[Tensor, Any], nodes: Nodes) -> Paths:
        fuse: Callable[[Tensor], Tensor] = partial(self.store, memories=self.store.recall(nodes))
        plain = untracked(self._path(image, encoded), self.network)
        return Paths(plain, self._path(image, encoded, fuse))
