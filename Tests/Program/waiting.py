"""Waiting for an event, never for the clock: the condition is looked at until it holds or the bound is passed."""

import time

patience = 1
"""How many times as long as said everything may take: some machines under test are emulated."""


def until(condition, what, seconds=20.0):
    """Returns the first true value of `condition()`. Fails, saying `what` was awaited, after `seconds`."""
    deadline = time.monotonic() + seconds * patience
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds * patience} s for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
