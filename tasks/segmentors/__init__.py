"""Segmentation networks of ours for mmsegmentation, in plain torch; `tasks.mm` registers them."""
