"""Learnable feature patches and vectors (LFPVs; Xu et al., ICCV 2025) for any enhancer."""

from enhancers.lfpv.enhancer import LFPVEnhancer

__all__ = ["LFPVEnhancer"]
