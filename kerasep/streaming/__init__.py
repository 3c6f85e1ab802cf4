"""Stream causal models frame by frame, with explicit state: blocks of any size in, sources out.

Read in this order: `streamer` (the public class), `buffering` (blocks to steps), `step` (one step
as a pure function), `walk` and `forms` (how each layer computes a step).

Names load on first use: `kerasep.streaming.buffering` needs NumPy alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
