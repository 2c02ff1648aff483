"""Low-light image enhancers. The networks are imported from their own modules."""

from enhancers.base import Enhancer
from enhancers.errors import EnhancerError

__all__ = ["Enhancer", "EnhancerError"]
