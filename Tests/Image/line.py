"""A serial line, as pexpect sees it: what the device says is always taken off the line, whether a test reads it or not."""

import socket
import threading
import time

import pexpect
from pexpect import spawnbase


class Line(spawnbase.SpawnBase):
    """Connected to a socket of QEMU's. `expect`, `sendline`, `before` and the rest are pexpect's. What is sent ends in CR,
    as a terminal's Enter does. `said` is all that ever came.

    With `baud`, both directions go no faster than ten bits an octet allow."""

    def __init__(self, path, timeout=120, baud=None):
        super().__init__(timeout=timeout, maxread=4096, searchwindowsize=None)
        self.linesep = b"\r"
        self.baud = baud
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.changed = threading.Condition()
        self.said = bytearray()
        self.read = 0
        self.ended = False
        self.child_fd = self.socket.fileno()
        self.name = f"serial line {path}"
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self):
        try:
            while data := self.socket.recv(self.baud // 100 if self.baud else 4096):
                if self.baud:
                    # The line's own pace, which is what is being modelled.
                    time.sleep(len(data) * 10 / self.baud)
                with self.changed:
                    self.said += data
                    self.changed.notify_all()
        except OSError:
            pass
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def read_nonblocking(self, size=1, timeout=None):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.said) > self.read or self.ended, timeout):
                raise pexpect.TIMEOUT("nothing more on the line")
            if len(self.said) == self.read:
                self.flag_eof = True
                raise pexpect.EOF("the line is gone")
            data = bytes(self.said[self.read:self.read + size])
            self.read += len(data)
        return data

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        if self.baud:
            for octet in data:
                time.sleep(10 / self.baud)
                self.socket.sendall(bytes([octet]))
        else:
            self.socket.sendall(data)
        return len(data)

    def sendline(self, text=b""):
        return self.send((text.encode() if isinstance(text, str) else text) + self.linesep)

    def isalive(self):
        return not self.ended

    def flush(self):
        pass

    def close(self):
        # Wakes the thread that reads.
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self.closed = True
