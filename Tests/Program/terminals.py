"""Somebody at the console: `restante console` of an office on a real pty."""

import contextlib
import os
import re

import pexpect

from office import PROGRAM, environment

PIN = "2468"
LOCK = "PIN (? if it was forgotten): "
MAIN = "Main menu: 1 to 10, Enter for the menu, q to lock: "
BACK = "q to go back: "


class Console:
    """`restante console` of an office. Reads what it shows as octets; nothing in it may disturb a terminal."""

    def __init__(self, office, pin=PIN, first_boot=False, **variables):
        self.office = office
        self.runtime = office.where / "run"
        self.runtime.mkdir(exist_ok=True)
        if pin:
            office.run("pin", "console", "--password-stdin", input=pin + "\n")
        if not first_boot:
            office.run("setup", "--done")
        self.variables = environment(**{"LANG": "C", "RUNTIME_DIRECTORY": str(self.runtime), **variables})
        self.child = None

    def start(self):
        self.child = pexpect.spawn(PROGRAM, ["console", "--config", str(self.office.config)], env=self.variables,
                                   dimensions=(24, 80), timeout=20)
        self.child.delaybeforesend = None
        self.seen = bytearray()
        self.child.logfile_read = self
        return self

    # pexpect's log.
    def write(self, octets):
        self.seen += octets

    def flush(self):
        pass

    def until(self, *texts):
        """Waits for each text in turn; returns what stood before the last of them."""
        for text in texts:
            self.child.expect_exact(text.encode() if isinstance(text, str) else text)
        return self.child.before.decode("utf-8", "replace")

    def type(self, text, end="\r"):
        self.child.send((text + end).encode() if isinstance(text, str) else text)

    def answer(self, question, text):
        self.until(question)
        self.type(text)

    def unlock(self, pin=PIN):
        self.answer(LOCK, pin)
        self.until(MAIN)
        return self

    def choose(self, *numbers):
        """From the main menu's question on."""
        for number in numbers[:-1]:
            self.type(str(number))
            self.until(BACK)
        self.type(str(numbers[-1]))

    def hang_up(self):
        """The cable is pulled; returns how the console ended."""
        # By its owner, who would close the number again when it is long another's.
        self.child.ptyproc.fileobj.close()
        self.child.ptyproc.closed = self.child.closed = True
        self.child.ptyproc.fd = self.child.child_fd = -1
        return self.ended()

    def ended(self):
        if self.child.terminated:
            # pexpect has looked already.
            return self.child.exitstatus
        status = os.waitpid(self.child.pid, 0)[1]
        self.child.terminated = True
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.child and not self.child.terminated:
            with contextlib.suppress(OSError):
                self.child.close(force=True)
        # Whatever came from wherever: no control but these, so nothing that moves a cursor or changes a mode.
        odd = re.search(rb"[^\x20-\x7e\r\n\x08\x07]", bytes(self.seen))
        assert odd is None or b"# " in self.seen, bytes(self.seen)[max(0, odd.start() - 80):odd.end() + 20]
