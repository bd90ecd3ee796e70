"""A network of one's own, for peers that are not on the loopback interface's addresses."""

import concurrent.futures
import ctypes
import os
import subprocess
import threading

import pytest

CLONE_NEWNET = 0x40000000
ADDRESS = "192.0.2.1"


def alone(function):
    """Carries out `function` in a thread whose network is its own, and has ADDRESS in it; programs it starts share it.
    Takes root; skips the test without."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: takes root, for a network namespace")
    result = concurrent.futures.Future()

    def run():
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            subprocess.run(["ip", "address", "add", ADDRESS + "/24", "dev", "lo"], check=True)
            result.set_result(function())
        except BaseException as error:
            result.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result.result()
