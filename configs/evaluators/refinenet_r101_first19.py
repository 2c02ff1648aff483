# RefineNet-ResNet-101 from a checkpoint with 20 outputs, as released (19 classes and void): void
# was never a target in training, and here it is never predicted. The published scores count it as
# a miss: refinenet_r101_void.py.
_base_ = ["refinenet_r101.py"]
evaluator = {"first_outputs": True}
