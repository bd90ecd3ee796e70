"""Debian's dovecot-pop3d in a throw-away directory, serving Maildirs, as the measure for fetching and polling."""

import grp
import os
import pathlib
import pwd
import shutil

from workshop import Failure, Pop3, Server, free_ports

PASSWORD = "bench-secret"


class Dovecot:
    """
    One dovecot with Maildirs user0 … user(N-1) on the file system that is measured.

    Tuned in its favour: passwords in the clear in a passwd-file (no hashing at all; Restante verifies a hash or
    remembers having done so), no TLS, no user limits, messages named with their sizes (S=, W=) so that STAT need not
    read them.

    `fast` is its documented high-performance mode and more: login processes and also pop3 processes that serve many
    sessions and wait ready, and remembered authentications. With the login processes alone, as documented, it made 300
    sessions a second where it made 1,450 so.
    """

    def __init__(self, workshop, directory, fast=False):
        if not pathlib.Path("/usr/lib/dovecot/pop3").exists():
            raise Failure("Debian's dovecot-pop3d is not installed: apt-get install dovecot-pop3d")
        if os.geteuid() != 0:
            raise Failure("Dovecot gives its processes users of their own: run this row as root")
        self._workshop = workshop
        self.maildirs = pathlib.Path(directory)
        self.maildirs.mkdir(parents=True, exist_ok=True)
        self._owner = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid
        os.chown(self.maildirs, *self._owner)
        base = workshop.path / "dovecot"
        shutil.rmtree(base, ignore_errors=True)
        base.mkdir()
        (self.port,) = free_ports(1)
        cores = os.cpu_count() or 1
        (base / "users").write_text("".join(f"user{i}:{PASSWORD}\n" for i in range(10)), encoding="ascii")
        (base / "dovecot.conf").write_text(f"""\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
mail_max_userip_connections = 1000
first_valid_uid = 1
mail_location = maildir:{self.maildirs}/%u
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {base}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={self.maildirs}/%u
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
""" + (f"""\
  service_count = 0
  process_min_avail = {cores}
}}
service pop3 {{
  service_count = 1000000
  process_min_avail = {2 * cores}
}}
auth_cache_size = 10M
mail_uid = nobody
mail_gid = nogroup
""" if fast else "}\n"), encoding="ascii")
        self.server = Server(
            workshop, ["/usr/sbin/dovecot", "-F", "-c", base / "dovecot.conf"], base / "log")
        self.server.wait_greeting(self.port, b"+OK")

    def stop(self):
        self.server.stop()

    def fill(self, name, messages, text):
        """Puts `messages` copies of `text` (CRLF lines) into a Maildir, as an MDA does: LF lines, sizes in the name."""
        stored = text.replace(b"\r\n", b"\n")
        current = self.maildirs / name / "cur"
        for folder in ("cur", "new", "tmp"):
            (self.maildirs / name / folder).mkdir(parents=True)
        for i in range(messages):
            # Names as an MDA gives them. Evenly counted ones fall on few places of Dovecot's hash table and cost it a
            # factor of ten.
            clock, micros, process = 1500000000 + i * 61, i * 7919 % 1000003 % 1000000, 1000 + i * 31 % 30011
            file = current / f"{clock}.M{micros}P{process}.bench,S={len(stored)},W={len(text)}:2,"
            file.write_bytes(stored)
            os.chown(file, *self._owner)
        for path in (self.maildirs / name, *(self.maildirs / name).iterdir()):
            os.chown(path, *self._owner)
        session = Pop3(self.port, timeout=300)
        session.login(name, PASSWORD)
        if session.count() != messages:
            raise Failure(f"Dovecot does not see the {messages} messages of {name}")
        session.send("QUIT")
        session.close()
