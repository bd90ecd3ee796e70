"""A technician at the serial line: reads what the console says, types the answer when the question has come."""

import re

import pexpect

import waiting

MENU = rb"([A-Z][^\r\n]*): 1 to \d+, Enter for the (?:menu|list), q to (?:lock|go back): $"
MORE = rb"-- Enter for more, q to stop: $"
LOCK = rb"PIN \(\? if it was forgotten\): $"
NO_PIN = rb"No PIN is set on this console yet\. Press Enter: $"
MAIN = "Main menu"


class Console:
    def __init__(self, box, pin=None, timeout=180):
        self.box, self.serial, self.pin, self.timeout = box, box.serial, pin, timeout
        self.place = None

    def expect(self, *patterns, timeout=None):
        """Waits for one of the patterns; returns its index and all that was said before and with it."""
        said = b""
        while True:
            try:
                index = self.serial.expect([*patterns, MORE], timeout=(timeout or self.timeout) * waiting.patience)
            except (pexpect.TIMEOUT, pexpect.EOF):
                raise AssertionError(f"the console did not say {patterns}; it said: "
                                     f"{(said + self.serial.buffer)[-3000:].decode(errors='replace')}") from None
            said += self.serial.before + (self.serial.match[0] if self.serial.match else b"")
            if index < len(patterns):
                return index, said.decode(errors="replace").replace("\r", "")
            self.serial.sendline()

    def type(self, text=""):
        self.place = None
        self.serial.sendline(text)

    def answer(self, question, reply="", timeout=None):
        """Waits for a question that has these words, and types the reply; returns what was said before it."""
        words = question if isinstance(question, bytes) else re.escape(question.encode())
        _, said = self.expect(words + rb"[^\r\n]*: $", timeout=timeout)
        self.type(reply)
        return said

    def menu(self, timeout=None):
        """Waits for a menu's question; returns what was said before it."""
        _, said = self.expect(MENU, timeout=timeout)
        self.place = self.serial.match[1].decode()
        return said

    def sit_down(self):
        """To the main menu, by the PIN if there is one; returns what was said on the way."""
        self.type()
        said = ""
        while True:
            index, more = self.expect(MENU, LOCK, NO_PIN, rb"Enter begins, m shows the menu \[begin\]: $")
            said += more
            if index == 0:
                self.place = self.serial.match[1].decode()
                if self.place == MAIN:
                    return said
                self.type("q")
            else:
                self.type([None, self.pin, "", "m"][index])

    def main(self):
        if self.place is None:
            # What came before did not end as it ought to.
            self.serial.send("\x03")
            self.menu()
        if self.place != MAIN:
            self.type("q")
            self.menu()
        assert self.place == MAIN, self.place

    def go(self, entry):
        """To a menu of the main menu."""
        self.main()
        self.type(str(entry))
        return self.menu()

    def do(self, menu, entry, *dialogue, timeout=None):
        """Chooses an entry (of the main menu when `entry` is None) and holds its dialogue: pairs of question and reply.
        Returns all that was said until there is a menu again."""
        if entry is None:
            self.main()
        elif self.place is None or self.place != self.NAMES.get(menu):
            self.go(menu)
        self.type(str(menu if entry is None else entry))
        said = "".join(self.answer(question, reply, timeout) for question, reply in dialogue)
        return said + self.menu(timeout)

    NAMES = {3: "Accounts", 4: "Mail", 5: "Network", 7: "Journal", 8: "Backup and restore",
             9: "Update and more", 10: "Shell"}
