"""The peak memory of a benchmark's process."""

import resource
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


def peak_mb() -> float:
    """The most memory this process has had resident so far, in MB.

    On Linux the high-water mark of its own memory (``VmHWM``, proc_pid_status(5)): what ``getrusage`` tells begins with the
    peak of the process that started it, if that is larger.
    """
    if _STATUS.is_file():
        line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
