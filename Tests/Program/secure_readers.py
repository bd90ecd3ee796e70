"""Programs that fetch by POP3, each behind the same call: TLS is required, and the certificate must be the one pinned."""

import os
import pathlib
import poplib
import ssl
import subprocess

import readers
from office import environment
from readers import network


class Reader(readers.Reader):
    """`fetch` empties a maildrop; returns the messages and what was said, or raises `Refused`. `implicit`: TLS from the
    first octet on, else STLS."""

    def __init__(self, where, office, implicit, pin, name="anna", mechanism=None):
        super().__init__(where, office.pop3s_port if implicit else office.pop3_port, name)
        self.implicit, self.pin, self.mechanism = implicit, pin, mechanism

    def call(self, *command, codes=(0,)):
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, cwd=self.where,
                              env=environment(HOME=str(self.where), USER="technician", LOGNAME="technician"))
        if done.returncode not in codes:
            raise Refused(f"{done.returncode}: {done.stdout.decode(errors='replace')}")
        return done.stdout.decode(errors="replace")


class Refused(Exception):
    """The program did not fetch."""


class Fetchmail(Reader):
    """By certificate and by fingerprint, of which it knows MD5 alone."""

    program = "fetchmail"

    def fetch(self):
        mda = self.private("mda", '#!/bin/sh\nexec cat > "$(mktemp message.XXXXXXXX)"\n')
        mda.chmod(0o700)
        self.private("rc", f'set no bouncemail\nset invisible\nset idfile "{self.where}/ids"\n'
                           f'poll 127.0.0.1 protocol pop3 service {self.port}\n'
                           f'  user "{self.name}" password "{self.password}" mda "{mda}" nokeep fetchall\n'
                           f'  {"ssl " if self.implicit else ""}sslproto "TLS1.2+" sslcertck '
                           f'sslcertfile "{self.pin.file}" sslfingerprint "{self.pin.md5}" '
                           'sslcommonname "mail.office.example"\n'
                           '  no rewrite no mimedecode pass8bits no dropstatus no dropdelivered no stripcr\n')
        said = self.call("fetchmail", "-v", "-f", "rc", "--pidfile", self.where / "pid")
        messages = []
        for file in sorted(self.where.glob("message.*")):
            messages.append(network(file.read_bytes()))
            file.unlink()
        return messages, said


class Mpop(Reader):
    program = "mpop"

    def fetch(self):
        self.private("rc", f"account default\nhost 127.0.0.1\nport {self.port}\ntls on\n"
                           f"tls_starttls {'off' if self.implicit else 'on'}\ntls_fingerprint {self.pin.sha256}\n"
                           f"auth {self.mechanism.lower() if self.mechanism else 'on'}\nuser {self.name}\n"
                           f"password {self.password}\nkeep off\nreceived_header off\nuidls_file {self.where}/uidls\n"
                           f"delivery maildir {self.maildir()}\n")
        said = self.call("mpop", "-C", "rc", "--debug")
        return self.empty_maildir(), said


class Curl(Reader):
    program = "curl"

    def fetch(self):
        url = f"{'pop3s' if self.implicit else 'pop3'}://mail.office.example:{self.port}/"
        common = ["curl", "-sSv", "--ssl-reqd", "--resolve", f"mail.office.example:{self.port}:127.0.0.1", "--cacert",
                  self.pin.file, "--pinnedpubkey", self.pin.key, "--user", f"{self.name}:{self.password}"]
        if self.mechanism:
            common += ["--login-options", f"AUTH={self.mechanism}"]
        file = self.where / "message"
        said = self.call(*common, "--output", self.where / "list", url)
        messages = []
        for line in reversed((self.where / "list").read_bytes().splitlines()):
            said += self.call(*common, "--output", file, url + line.split()[0].decode())
            messages.append(file.read_bytes())
            self.call(*common, "--request", "DELE", "--head", url + line.split()[0].decode())
        return messages, said


class Getmail(readers.Getmail, Reader):
    """It has TLS from the first octet on alone."""

    program = "getmail"

    def fetch(self):
        place = self.maildir()
        self.private("rc", "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = 127.0.0.1\n"
                           f"port = {self.port}\nusername = {self.name}\npassword = {self.password}\n"
                           f"ca_certs = {self.pin.file}\nssl_cert_hostname = mail.office.example\n"
                           f"ssl_fingerprints = ('{self.pin.sha256.replace(':', '').lower()}',)\n"
                           f"[destination]\ntype = Maildir\npath = {place}/\n"
                           + ("user = nobody\n" if os.getuid() == 0 else "") +
                           "[options]\ndelete = true\nread_all = true\ndelivered_to = false\nreceived = false\n")
        said = self.call("getmail", "--getmaildir", self.where, "--rcfile", "rc")
        messages = []
        for file in sorted((pathlib.Path(place) / "new").iterdir()):
            messages.append(network(file.read_bytes()))
            file.unlink()
        return messages, said

    call = Reader.call


class Poplib(Reader):
    """Python, which takes any certificate, and then looks whether it is the one."""

    def fetch(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.implicit:
            session = poplib.POP3_SSL("127.0.0.1", self.port, timeout=30, context=context)
        else:
            session = poplib.POP3("127.0.0.1", self.port, timeout=30)
            session.stls(context)
        if not self.pin.fits(session.sock):
            session.close()
            raise Refused("another certificate")
        session.user(self.name)
        session.pass_(self.password)
        messages = []
        for number in range(1, session.stat()[0] + 1):
            messages.append(b"".join(line + b"\r\n" for line in session.retr(number)[1]))
            session.dele(number)
        session.quit()
        return messages, ""


ALL = {"fetchmail": Fetchmail, "mpop": Mpop, "curl": Curl, "getmail": Getmail, "poplib": Poplib}

MECHANISMS = {"mpop": ["USER", "PLAIN", "SCRAM-SHA-256"], "curl": ["PLAIN"]}
"""What each can be told to use."""

IMPLICIT_ALONE = ("getmail",)
