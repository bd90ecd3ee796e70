"""Mail programs that fetch by POP3, each behind the same two calls. What they write is turned back to CRLF lines."""

import functools
import os
import pathlib
import poplib
import re
import shutil
import subprocess
import tempfile

from office import environment

poplib._MAXLINE = 1 << 20


class Reader:
    """`fetch(keep)` returns the messages this poll brought. State (unique-ids already seen) is kept in `where`."""

    program = ""

    def __init__(self, where, port, name):
        self.where, self.port, self.name, self.password = pathlib.Path(where), port, name, f"{name}-secret"
        self.where.mkdir(parents=True)

    def call(self, *command, codes=(0,)):
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, cwd=self.where,
                              env=environment(HOME=str(self.where), USER="technician", LOGNAME="technician"))
        assert done.returncode in codes, f"{command}: {done.returncode}: {done.stdout.decode(errors='replace')}"
        return done.stdout

    def private(self, name, text):
        file = self.where / name
        file.write_text(text)
        file.chmod(0o600)
        return file

    def maildir(self):
        directory = self.where / "Maildir"
        for part in ("cur", "new", "tmp"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        return directory

    def empty_maildir(self):
        messages = []
        for file in sorted((self.maildir() / "new").iterdir()):
            messages.append(network(file.read_bytes()))
            file.unlink()
        return messages


def network(content):
    """Lines that end in LF alone as they were on the wire."""
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class Fetchmail(Reader):
    program = "fetchmail"
    box = "box"

    def fetch(self, keep):
        # The message is written to a file of its own by the MDA, as it was handed over.
        mda = self.private("mda", '#!/bin/sh\nexec cat > "$(mktemp message.XXXXXXXX)"\n')
        mda.chmod(0o700)
        self.private("rc", f'set no bouncemail\nset invisible\nset idfile "{self.where}/ids"\n'
                           f'poll 127.0.0.1 protocol pop3 service {self.port} uidl\n'
                           f'  user "{self.name}" password "{self.password}" mda "{mda}" {"keep" if keep else "nokeep"}'
                           ' no rewrite no mimedecode pass8bits no dropstatus no dropdelivered no stripcr fetchall\n'
                     .replace("fetchall", "no fetchall" if keep else "fetchall"))
        # 1 says that there was no new mail.
        self.call("fetchmail", "-f", "rc", "--sslproto", "", "--pidfile", self.where / "pid", codes=(0, 1))
        messages = []
        for file in sorted(self.where.glob("message.*")):
            messages.append(network(file.read_bytes()))
            file.unlink()
        return messages


class Mpop(Reader):
    program = "mpop"

    def fetch(self, keep):
        self.private("rc", f"account default\nhost 127.0.0.1\nport {self.port}\ntls off\nauth user\nuser {self.name}\n"
                           f"password {self.password}\nkeep {'on' if keep else 'off'}\nreceived_header off\n"
                           f"uidls_file {self.where}/uidls\ndelivery maildir {self.maildir()}\n")
        self.call("mpop", "-C", "rc", "--quiet")
        return self.empty_maildir()


class Getmail(Reader):
    program = "getmail"

    def maildir(self):
        """getmail delivers nothing as root: it becomes `nobody`, who needs a place that is in no private folder."""
        if os.getuid() != 0:
            return super().maildir()
        directory = pathlib.Path(self.public.name) / "Maildir"
        for part in ("", "cur", "new", "tmp"):
            (directory / part).mkdir(parents=True, exist_ok=True)
            shutil.chown(directory / part, "nobody")
        return directory

    @functools.cached_property
    def public(self):
        directory = tempfile.TemporaryDirectory(prefix="getmail.")
        os.chmod(directory.name, 0o755)
        return directory

    def fetch(self, keep):
        self.private("rc", f"[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = {self.port}\n"
                           f"username = {self.name}\npassword = {self.password}\n"
                           f"[destination]\ntype = Maildir\npath = {self.maildir()}/\n"
                           + ("user = nobody\n" if os.getuid() == 0 else "") +
                           f"[options]\ndelete = {str(not keep).lower()}\nread_all = {str(not keep).lower()}\n"
                           "delivered_to = false\nreceived = false\nverbose = 0\n")
        self.call("getmail", "--getmaildir", self.where, "--rcfile", "rc")
        return self.empty_maildir()


class Curl(Reader):
    program = "curl"

    def fetch(self, keep):
        url = f"pop3://127.0.0.1:{self.port}/"
        user = f"{self.name}:{self.password}"
        seen = self.where / "seen"
        known = set(seen.read_bytes().split()) if seen.exists() else set()
        messages = []
        lines = self.call("curl", "-sS", "--user", user, "--request", "UIDL", url).split(b"\r\n")
        # Each call is a session of its own: the last first, so that a deletion renumbers nothing still to come.
        for line in reversed([line for line in lines if line]):
            number, uid = line.split()
            if uid not in known:
                file = self.where / "message"
                self.call("curl", "-sS", "--user", user, "--output", file, url + number.decode())
                messages.append(file.read_bytes())
                known.add(uid)
                if not keep:
                    self.call("curl", "-sS", "--user", user, "--request", "DELE", "--head", url + number.decode())
        seen.write_bytes(b"\n".join(known))
        return messages


class Poplib(Reader):
    def fetch(self, keep):
        seen = self.where / "seen"
        known = set(seen.read_bytes().split()) if seen.exists() else set()
        session = poplib.POP3("127.0.0.1", self.port, timeout=30)
        session.user(self.name)
        session.pass_(self.password)
        messages = []
        for line in session.uidl()[1]:
            number, uid = line.split()
            if uid not in known:
                messages.append(b"".join(line + b"\r\n" for line in session.retr(int(number))[1]))
                known.add(uid)
            if not keep:
                session.dele(int(number))
        session.quit()
        seen.write_bytes(b"\n".join(known))
        return messages


ALL = {"fetchmail": Fetchmail, "mpop": Mpop, "getmail": Getmail, "curl": Curl, "poplib": Poplib}


def header_fields(message):
    """{name: value} of the first of each header field."""
    head = message.split(b"\r\n\r\n", 1)[0]
    return {name: value for name, value in re.findall(rb"(?m)^([!-9;-~]+):[ \t]*(.*)\r?$", head)}
