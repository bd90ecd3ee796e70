"""Senders and readers that go on while the server restarts, and remember what they were promised."""

import re
import socket
import threading
import time

from restante import PASSWORD
from workshop import Failure, trusting


class Turned(Exception):
    """A connection ended before the server had greeted, or was refused: what a restart must not do to anybody."""


class Ended(Exception):
    """A session ended in the middle. Whoever had no answer asks again: that loses nothing."""


class Line:
    """A connection that reads lines."""

    def __init__(self, port, tls, greeting):
        began = time.monotonic()
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
            if tls:
                self._socket = trusting().wrap_socket(self._socket)
            self._file = self._socket.makefile("rb")
            first = self._file.readline()
        except OSError as error:
            raise Turned(str(error)) from error
        if not first.startswith(greeting):
            raise Turned(first.decode(errors="replace").strip() or "closed without a greeting")
        self.waited = time.monotonic() - began

    def send(self, text):
        try:
            self._socket.sendall(text)
        except OSError as error:
            raise Ended from error

    def expect(self, start):
        """The lines of one reply, of which the last must begin with `start`; POP3 has only one."""
        lines = []
        while True:
            try:
                line = self._file.readline()
            except OSError as error:
                raise Ended from error
            if not line.endswith(b"\n") or line.startswith((b"421", b"-ERR [SYS/TEMP]")):
                raise Ended
            if not line.startswith(start):
                raise Failure(f"expected {start.decode()}, the server answered: {line.decode(errors='replace')}")
            lines.append(line)
            if line[3:4] != b"-":
                return lines

    def body(self):
        """A multi-line answer of POP3 after its first line."""
        lines = []
        while True:
            try:
                line = self._file.readline()
            except OSError as error:
                raise Ended from error
            if not line.endswith(b"\n"):
                raise Ended
            if line == b".\r\n":
                return lines
            lines.append(line)

    def close(self):
        self._file.close()
        self._socket.close()


class Load:
    """Senders and readers, half of them under TLS, each a thread, from `__enter__` to `__exit__`."""

    def __init__(self, restante, senders, readers):
        self._restante = restante
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._guarded, args=(self._send, i), daemon=True)
                         for i in range(senders)]
        self._threads += [threading.Thread(target=self._guarded, args=(self._read, i), daemon=True)
                          for i in range(readers)]
        # What was answered with 250; what was turned away, and how; the longest wait for a greeting.
        self.promised, self.turned, self.failures = set(), [], []
        self.sessions, self.ended, self.longest = 0, 0, 0.0

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._end.set()
        for thread in self._threads:
            thread.join(120)

    def _guarded(self, session, number):
        """One session after another, each with whatever end."""
        while not self._end.is_set():
            try:
                session(number)
            except Turned as how:
                with self._lock:
                    self.turned.append(str(how))
                time.sleep(0.01)
            except Ended:
                with self._lock:
                    self.ended += 1
            except Failure as failure:
                self.failures.append(str(failure))
                return

    def _connect(self, port, tls, greeting):
        line = Line(port, tls, greeting)
        with self._lock:
            self.sessions += 1
            self.longest = max(self.longest, line.waited)
        return line

    def _send(self, number):
        """A sender's session of ten messages, each with a name of its own."""
        tls = number % 2 == 1
        line = self._connect(self._restante.submissions if tls else self._restante.smtp, tls, b"220")
        try:
            line.send(b"EHLO sender.example\r\n")
            line.expect(b"250")
            for i in range(10):
                name = f"{number}-{time.monotonic_ns()}-{i}"
                line.send(f"MAIL FROM:<sender@sender.example>\r\nRCPT TO:<user{number % 10}@bench.example>\r\n"
                          "DATA\r\n".encode())
                for reply in (b"250", b"250", b"354"):
                    line.expect(reply)
                line.send(f"Subject: {name}\r\n\r\n{'x' * 70}\r\n.\r\n".encode())
                line.expect(b"250")
                with self._lock:
                    self.promised.add(name)
            line.send(b"QUIT\r\n")
            line.expect(b"221")
        finally:
            line.close()

    def _read(self, number):
        """A reader's session: the newest message."""
        tls = number % 2 == 1
        line = self._connect(self._restante.pop3s if tls else self._restante.pop3, tls, b"+OK")
        try:
            for command in (f"USER user{number % 10}", f"PASS {PASSWORD}"):
                line.send(f"{command}\r\n".encode())
                line.expect(b"+OK")
            line.send(b"STAT\r\n")
            count = int(line.expect(b"+OK")[0].split()[1])
            if count > 0:
                line.send(f"RETR {count}\r\n".encode())
                line.expect(b"+OK")
                line.body()
            line.send(b"QUIT\r\n")
            line.expect(b"+OK")
        finally:
            line.close()


def readable(restante, name):
    """The names of all messages in a maildrop, as a reader gets them, each as often as it is there."""
    line = Line(restante.pop3, False, b"+OK")
    found = []
    try:
        for command in (f"USER {name}", f"PASS {PASSWORD}", "STAT"):
            line.send(f"{command}\r\n".encode())
            answer = line.expect(b"+OK")
        for number in range(1, int(answer[0].split()[1]) + 1):
            line.send(f"TOP {number} 0\r\n".encode())
            line.expect(b"+OK")
            subject = re.search(rb"^Subject: (\S+)\r$", b"".join(line.body()), re.MULTILINE)
            found.append(subject[1].decode())
    finally:
        line.close()
    return found
