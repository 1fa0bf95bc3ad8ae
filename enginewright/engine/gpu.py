"""The GPU of this machine, asked of the driver's management library. Standard library only: the probe needs it fast."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

_LIBRARY = "libnvidia-ml.so.1"
_TEXT_BYTES = 128
_NO_DEVICE = ("", "-1", "NoDevFiles")


@dataclass(frozen=True)
class Gpu:
    """One GPU: its name, its compute capability (for example "8.9") and the driver's version."""

    name: str
    compute_capability: str
    driver: str


def find_gpu() -> Gpu | None:
    """Return the first GPU that CUDA programs may use here, or None without a driver or a GPU.

    `CUDA_VISIBLE_DEVICES` is honoured: its first entry is the GPU, and an empty one hides them all. Indices are those
    of the PCI bus, as under `CUDA_DEVICE_ORDER=PCI_BUS_ID`.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    if visible in _NO_DEVICE:
        return None
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    if library.nvmlInit_v2() != 0:
        return None
    try:
        return _gpu(library, visible)
    finally:
        library.nvmlShutdown()


def _gpu(library: ctypes.CDLL, visible: str) -> Gpu | None:
    device = ctypes.c_void_p()
    if visible.isdecimal():
        status = library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(int(visible)), ctypes.byref(device))
    else:
        status = library.nvmlDeviceGetHandleByUUID(visible.encode(), ctypes.byref(device))
    major, minor = ctypes.c_int(), ctypes.c_int()
    if status != 0 or library.nvmlDeviceGetCudaComputeCapability(device, ctypes.byref(major), ctypes.byref(minor)) != 0:
        return None
    name, driver = (ctypes.create_string_buffer(_TEXT_BYTES) for _ in range(2))
    library.nvmlDeviceGetName(device, name, ctypes.c_uint(_TEXT_BYTES))
    library.nvmlSystemGetDriverVersion(driver, ctypes.c_uint(_TEXT_BYTES))
    return Gpu(name.value.decode(), f"{major.value}.{minor.value}", driver.value.decode())
