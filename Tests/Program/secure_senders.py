"""Programs that send by SMTP, each behind the same call: TLS is required, and the certificate must be the one pinned."""

import pathlib
import smtplib
import ssl
import subprocess

from office import environment

FROM = "someone@elsewhere.example"


class Sender:
    """`send` delivers `content` to anna; returns the exit code and what the program said. `implicit`: TLS from the first
    octet on, else STARTTLS. `login` and `mechanism` say who logs in and how."""

    program = ""

    def __init__(self, where, office, implicit, pin, login=None, mechanism=None):
        self.where, self.implicit, self.pin = pathlib.Path(where), implicit, pin
        self.login, self.mechanism = login, mechanism
        self.port = office.smtps_port if implicit else office.smtp_port
        self.where.mkdir(parents=True)

    def call(self, *command, input=b""):
        """(exit code, what it said)."""
        done = subprocess.run([str(word) for word in command], input=input, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, cwd=self.where,
                              env=environment(HOME=str(self.where), USER="technician", LOGNAME="technician"))
        return done.returncode, done.stdout.decode(errors="replace")

    def lines(self, content):
        file = self.where / "letter"
        file.write_bytes(content.replace(b"\r\n", b"\n"))
        return file


class Curl(Sender):
    program = "curl"

    def send(self, content):
        file = self.where / "letter"
        file.write_bytes(content)
        login = ["--user", f"{self.login}:{self.login}-secret"] if self.login else []
        if self.mechanism:
            login += ["--login-options", f"AUTH={self.mechanism}"]
        return self.call("curl", "-sSv", "--url", f"{'smtps' if self.implicit else 'smtp'}://mail.office.example:"
                         f"{self.port}/client.example", "--resolve", f"mail.office.example:{self.port}:127.0.0.1",
                         "--ssl-reqd", "--cacert", self.pin.file, "--pinnedpubkey", self.pin.key, *login,
                         "--mail-from", FROM, "--mail-rcpt", "anna@office.example", "--upload-file", file)


class Swaks(Sender):
    """It pins nothing; it verifies against the certificate alone, which for one that signed itself is the same."""

    program = "swaks"

    def send(self, content):
        login = ["--auth", self.mechanism or "PLAIN", "--auth-user", self.login,
                 "--auth-password", f"{self.login}-secret"] if self.login else []
        return self.call("swaks", "--server", "127.0.0.1", "--port", self.port, "--from", FROM,
                         "--to", "anna@office.example", "--ehlo", "client.example", "--data", f"@{self.lines(content)}",
                         "--tls-on-connect" if self.implicit else "--tls", "--tls-verify", "--tls-ca-path",
                         self.pin.file, *login)


class Msmtp(Sender):
    program = "msmtp"

    def send(self, content):
        auth = f"auth {self.mechanism.lower() if self.mechanism else 'on'}\nuser {self.login}\n" \
               f"password {self.login}-secret\n" if self.login else "auth off\n"
        rc = self.where / "rc"
        rc.write_text(f"account default\nhost 127.0.0.1\nport {self.port}\nfrom {FROM}\ntls on\n"
                      f"tls_starttls {'off' if self.implicit else 'on'}\ntls_fingerprint {self.pin.sha256}\n"
                      f"domain client.example\nset_from_header off\nset_date_header off\nset_msgid_header off\n{auth}")
        rc.chmod(0o600)
        return self.call("msmtp", "-C", rc, "--", "anna@office.example", input=content.replace(b"\r\n", b"\n"))


class Smtplib(Sender):
    """Python, which takes any certificate, and then looks whether it is the one."""

    def send(self, content):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.implicit:
            session = smtplib.SMTP_SSL("127.0.0.1", self.port, local_hostname="client.example", context=context)
        else:
            session = smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.example")
            session.starttls(context=context)
        with session:
            if not self.pin.fits(session.sock):
                return 1, "another certificate"
            if self.login:
                session.ehlo()
                if self.mechanism:
                    session.user, session.password = self.login, f"{self.login}-secret"
                    session.auth(self.mechanism, getattr(session, "auth_" + self.mechanism.lower()))
                else:
                    session.login(self.login, f"{self.login}-secret")
            session.sendmail(FROM, ["anna@office.example"], content, ["BODY=8BITMIME"])
        return 0, ""


ALL = {"curl": Curl, "swaks": Swaks, "msmtp": Msmtp, "smtplib": Smtplib}

MECHANISMS = {"curl": ["PLAIN", "LOGIN"], "swaks": ["PLAIN", "LOGIN"], "msmtp": ["PLAIN", "LOGIN", "SCRAM-SHA-256"],
              "smtplib": ["PLAIN", "LOGIN"]}
"""What each can be told to use."""
