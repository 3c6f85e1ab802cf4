"""Published checkpoints of other projects, read without those projects and set into our models.

One file a project; `kerasep.importers.torch_file` reads the weights out of any PyTorch file, and
`kerasep.importers.tf_checkpoint` those of TensorFlow 1. None needs PyTorch or TensorFlow 1, and
none runs code from the file it is given.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
