"""The user's own: enhancers `images:DIR`, `onnx:FILE`, `python:package.module:callable`, and
evaluators `onnx:FILE`."""
