"""Arrays that are reused only once nobody refers to them."""

from kerasep.data.sampling.buffers import Buffers


def test_memory_is_reused_once_no_view_of_it_is_left():
    buffers = Buffers()
    first = buffers.take((2, 3))
    address, row = first.ctypes.data, first[1]
    assert (first.dtype, first.shape, address % 64) == ("float32", (2, 3), 0)
    del first
    assert buffers.take((2, 3)).ctypes.data != address
    del row
    assert buffers.take((6,)).ctypes.data == address
