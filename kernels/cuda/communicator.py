"""Arrays of several devices added up."""

import os


class Communicator:
    """What joins several devices; `NcclCommunicator` joins GPUs."""

    def all_reduce(self, arrays):
        """Replace float32 arrays of one shape, one of each device in their order, by their sum: the same bits for all.

        Nothing waits for it but what the devices do afterwards.
        """
        raise NotImplementedError


class NcclCommunicator(Communicator):
    """Some `CupyDevice` s of this process, by NCCL. Raises what CuPy does where they cannot be joined."""

    def __init__(self, devices):
        # Sums in the switches of NVLink are fast but differ from call to call (github.com/NVIDIA/nccl/issues/1497), and
        # the same seed shall give the same bits. Rings and trees add up in one order.
        os.environ.setdefault("NCCL_NVLS_ENABLE", "0")
        import cupy
        from cupy.cuda import nccl

        self._cupy, self._nccl, self._devices = cupy, nccl, list(devices)
        self._members = nccl.NcclCommunicator.initAll([device.number for device in self._devices])

    def all_reduce(self, arrays):
        """As one group of calls, so that one thread can begin them for all devices."""
        nccl = self._nccl
        nccl.groupStart()
        try:
            for device, member, array in zip(self._devices, self._members, arrays, strict=True):
                with device.use():
                    stream = self._cupy.cuda.get_current_stream().ptr
                    member.allReduce(array.data.ptr, array.data.ptr, array.size, nccl.NCCL_FLOAT32, nccl.NCCL_SUM,
                                     stream)
        finally:
            nccl.groupEnd()
