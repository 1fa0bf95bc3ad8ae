"""A GPU driver's management library, compiled by the test, so that GPUs can be met on a machine without one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HOPPER, ADA = "0", "1"
"""The indices of its two GPUs, of compute capability 9.0 and 8.9."""

_SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int devices[2];
int nvmlInit_v2(void) { return getenv("BROKEN_DRIVER") ? 9 : 0; }
int nvmlShutdown(void) { fputs("shutdown\n", stderr); return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    if (index > 1) return 2;
    *device = &devices[index];
    return 0;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
    if (strcmp(uuid, "GPU-1234")) return 6;
    *device = &devices[1];
    return 0;
}
int nvmlDeviceGetName(void *device, char *text, unsigned size) {
    snprintf(text, size, "%s", device == &devices[0] ? "Test Hopper" : "Test Ada");
    return 0;
}
int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {
    *major = device == &devices[0] ? 9 : 8;
    *minor = device == &devices[0] ? 0 : 9;
    return 0;
}
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "580.1"); return 0; }
"""


def compiled_driver(folder: Path) -> Path:
    """Write libnvidia-ml.so.1 into `folder` and return the folder; without a C compiler the test is skipped."""
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("needs a C compiler (cc)")
    (folder / "nvml.c").write_text(_SOURCE)
    command = [compiler, "-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1"), str(folder / "nvml.c")]
    subprocess.run(command, check=True)
    return folder
