"""SMTP and POP3 spoken octet by octet: for what the well-mannered client libraries cannot be made to say."""

import re
import socket
import ssl
import time


class Closed(Exception):
    """The server closed the connection, or reset it."""


class Connection:
    """A TCP connection read in lines."""

    def __init__(self, port, host="127.0.0.1", source=None, timeout=20.0, receive_buffer=None, tls=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            self.socket.bind((source, 0))
        try:
            self.socket.connect((host, port))
            if tls is not None:
                self.begin_tls(tls)
        except BaseException:
            self.socket.close()
            raise
        self.buffer = bytearray()

    def begin_tls(self, context, name="mail.office.example", session=None):
        """The handshake, which fails unless `context` trusts the server."""
        self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Goes away without a word, as a client does whose battery is flat."""
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error

    def fill(self):
        try:
            data = self.socket.recv(1 << 18)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of stream")
        self.buffer += data

    def line(self):
        """The next line without its CRLF. Anything but CRLF at its end is a failure of the server."""
        start = 0
        while True:
            end = self.buffer.find(b"\n", start)
            if end >= 0:
                break
            start = len(self.buffer)
            self.fill()
        whole = bytes(self.buffer[:end + 1])
        del self.buffer[:end + 1]
        assert whole.endswith(b"\r\n"), f"a line without CR: {whole!r}"
        return whole[:-2]

    def at_end(self):
        """True when the server has closed, and said nothing more before."""
        try:
            self.fill()
        except Closed:
            return not self.buffer
        return False

    def until_end(self):
        """Everything the server says until it closes."""
        try:
            while True:
                self.fill()
        except Closed:
            rest, self.buffer = bytes(self.buffer), bytearray()
            return rest


class SMTP(Connection):
    """A sender."""

    def __init__(self, port, greet=True, hello=b"client.example", **options):
        super().__init__(port, **options)
        self.extensions = []
        if greet:
            self.expect(b"220")
            if hello:
                self.extensions = self.ask(b"EHLO " + hello, b"250")

    def reply(self):
        """(code, [lines of text])."""
        texts = []
        while True:
            line = self.line()
            assert len(line) >= 3 and line[:3].isdigit() and line[3:4] in (b"", b" ", b"-"), f"no reply: {line!r}"
            texts.append(line[4:])
            if line[3:4] != b"-":
                return line[:3], texts

    def expect(self, code):
        got, texts = self.reply()
        assert got.startswith(code), f"wanted {code!r}, got {got!r} {texts!r}"
        return texts

    def ask(self, command, code=None):
        """Sends a line. With `code` returns the texts and insists on the code, else (code, texts)."""
        self.send(command + b"\r\n")
        return self.expect(code) if code is not None else self.reply()

    def starttls(self, context, hello=b"client.example", **options):
        """STARTTLS and the greeting after it; the extensions are those that count from now on."""
        self.ask(b"STARTTLS", b"220")
        assert not self.buffer, "the server said more after its answer to STARTTLS"
        self.begin_tls(context, **options)
        if hello:
            self.extensions = self.ask(b"EHLO " + hello, b"250")
        return self

    def mail(self, sender, *recipients):
        self.ask(b"MAIL FROM:<" + sender + b">", b"250")
        for recipient in recipients:
            self.ask(b"RCPT TO:<" + recipient + b">", b"250")

    def data(self, content, code=b"250"):
        """DATA with content that ends in CRLF (or is empty); stuffs the dots. Returns the texts, or the whole reply
        when `code` is None."""
        self.ask(b"DATA", b"354")
        self.send(stuffed(content) + b".\r\n")
        return self.expect(code) if code is not None else self.reply()

    def deliver(self, content, *recipients, sender=b"someone@elsewhere.example", code=b"250"):
        self.mail(sender, *recipients)
        return self.data(content, code)

    def quit(self):
        self.ask(b"QUIT", b"221")
        assert self.at_end()
        self.close()


class POP3(Connection):
    """A reader."""

    def __init__(self, port, name=None, password=None, greet=True, **options):
        super().__init__(port, **options)
        if greet:
            self.ok()
        if name is not None:
            self.login(name, password)

    def stls(self, context, **options):
        self.ask(b"STLS")
        assert not self.buffer, "the server said more after its answer to STLS"
        self.begin_tls(context, **options)
        return self

    def login(self, name, password=None):
        self.ask(b"USER " + name)
        self.ask(b"PASS " + (name + b"-secret" if password is None else password))

    def ok(self):
        line = self.line()
        assert line.startswith(b"+OK"), f"wanted +OK, got {line!r}"
        return line

    def ask(self, command):
        """Sends a line and insists on +OK; returns the answer's line."""
        self.send(command + b"\r\n")
        return self.ok()

    def answer(self, command):
        """Sends a line; returns the answer's first line, whatever it is."""
        self.send(command + b"\r\n")
        return self.line()

    def lines(self):
        """The lines of a multi-line answer after its first line, unstuffed."""
        lines = []
        while True:
            line = self.line()
            if line == b".":
                return lines
            lines.append(line[1:] if line.startswith(b".") else line)

    def block(self):
        """A multi-line answer after its first line, as octets, unstuffed. Fast enough for megabytes."""
        searched = 0
        while True:
            if self.buffer[:3] == b".\r\n":
                end = 0
                break
            end = self.buffer.find(b"\r\n.\r\n", max(0, searched - 4))
            if end >= 0:
                end += 2
                break
            searched = len(self.buffer)
            self.fill()
        raw = bytes(self.buffer[:end])
        del self.buffer[:end + 3]
        if raw.startswith(b"."):
            raw = raw[1:]
        return raw.replace(b"\r\n.", b"\r\n")

    def stat(self):
        answer = self.ask(b"STAT").split()
        return int(answer[1]), int(answer[2])

    def list(self):
        """{number: octets}."""
        self.ask(b"LIST")
        return {int(number): int(octets) for number, octets in (line.split() for line in self.lines())}

    def uidl(self):
        """{number: unique-id}."""
        self.ask(b"UIDL")
        pairs = [line.split() for line in self.lines()]
        return {int(number): uid for number, uid in pairs}

    def retr(self, number):
        self.ask(b"RETR %d" % number)
        return self.block()

    def retr_all(self, numbers):
        """Many at once, pipelined in groups: a generator of (number, octets)."""
        numbers = list(numbers)
        for first in range(0, len(numbers), 64):
            group = numbers[first:first + 64]
            self.send(b"".join(b"RETR %d\r\n" % number for number in group))
            for number in group:
                self.ok()
                yield number, self.block()

    def dele(self, *numbers):
        self.send(b"".join(b"DELE %d\r\n" % number for number in numbers))
        for _ in numbers:
            self.ok()

    def quit(self):
        self.ask(b"QUIT")
        assert self.at_end()
        self.close()

    def readable(self):
        """{unique-id: message} of what RETR gives; what it refuses must be refused with words, and is left out."""
        got = {}
        for number, uid in self.uidl().items():
            answer = self.answer(b"RETR %d" % number)
            if answer.startswith(b"+OK"):
                got[uid] = self.block()
            else:
                assert re.match(rb"-ERR \[SYS/(TEMP|PERM)\] \S", answer), answer
        return got


def stuffed(content):
    """Dot-stuffed as RFC 5321 §4.5.2 has it."""
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\r\n.", b"\r\n..")


def refused(port, **options):
    """What a server says that takes no more clients: its words, or b"" when it only closes."""
    try:
        with Connection(port, **options) as connection:
            return connection.until_end()
    except (ConnectionError, Closed):
        return b""


def refused_at_once(port, source):
    """Connects and goes away again; True if the server would not have it."""
    with Connection(port, source=source) as connection:
        return not connection.line().startswith((b"220", b"+OK"))


def drip(connection, data, stop):
    """One octet a second until `data` is out, the server closes, or `stop` is set."""
    for octet in data:
        if stop.wait(1.0):
            return
        try:
            connection.socket.sendall(bytes([octet]))
        except OSError:
            return


def monotonic():
    return time.monotonic()
