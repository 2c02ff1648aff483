"""Learnable feature patches and vectors (LFPVs; Xu et al., ICCV 2025) for any enhancer."""

from enhancers.lfpv.diagnosis import Diagnosis, diagnose, node_norms
from enhancers.lfpv.enhancer import LFPVEnhancer
from enhancers.lfpv.options import Options
from enhancers.lfpv.paths import Paths, TwoPath

__all__ = [
    "Diagnosis",
    "LFPVEnhancer",
    "Options",
    "Paths",
    "TwoPath",
    "diagnose",
    "node_norms",
]
