"""Published checkpoints of other projects, read without those projects into our models.

There is one file per project. Its `load(model, path)` sets the weights of a model, its
`build(path)` also builds the model, and a generator of `weight_map.Slot` maps their weights to
ours. A new project needs such a file, and its name in `projects.PROJECTS`. `torch_file` reads any
PyTorch or safetensors file, `onnx_file` those of ONNX and `tf_checkpoint` those of TensorFlow 1.
None runs code from a file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
