"""Downstream tasks: datasets in their official layouts, protocols, evaluators and metrics."""
