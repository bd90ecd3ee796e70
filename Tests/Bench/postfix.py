"""Debian's Postfix in a throw-away directory, delivering to Maildirs, as the measure for delivery."""

import grp
import os
import pathlib
import pwd
import shutil
import time

from workshop import Failure, Server, free_ports

DAEMONS = pathlib.Path("/usr/lib/postfix/sbin")


class Postfix:
    """
    smtpd, cleanup, qmgr and virtual(8) with queue and Maildirs on the file system that is measured.

    Tuned in its favour: no chroot, no DNS or peer name lookups, no anvil, no delay for fast senders (in_flow_delay),
    no log (nobody listens to syslog here; Restante writes its own), long-lived processes, twenty deliveries to one
    maildrop at a time from the beginning. What it does for durability is untouched: each queue file and each Maildir
    file is flushed before it is answered for, as Restante flushes before its 250.
    """

    def __init__(self, workshop, directory, accounts=10):
        if not (DAEMONS / "master").exists():
            raise Failure("Debian's postfix is not installed: apt-get install postfix")
        if os.geteuid() != 0:
            raise Failure("Postfix gives its processes users of their own: run this row as root")
        self._workshop = workshop
        directory = pathlib.Path(directory)
        self._config = workshop.path / "postfix"
        self._queue = directory / "queue"
        self.maildirs = directory / "maildirs"
        # Anew each time, as the file system is.
        shutil.rmtree(self._config, ignore_errors=True)
        for path in (self._config, self._queue, self.maildirs):
            path.mkdir(parents=True)
        data = self._config / "data"
        data.mkdir()
        shutil.chown(data, "postfix", "postfix")
        shutil.chown(self.maildirs, "nobody", "nogroup")
        (self.port,) = free_ports(1)
        (self._config / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {self._queue}
data_directory = {data}
daemon_directory = {DAEMONS}
myhostname = bench.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = bench.example
virtual_mailbox_base = {self.maildirs}
virtual_mailbox_maps = texthash:{self._config}/maildrops
virtual_uid_maps = static:{pwd.getpwnam("nobody").pw_uid}
virtual_gid_maps = static:{grp.getgrnam("nogroup").gr_gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
message_size_limit = 26214400
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_tls_security_level = none
address_verify_map =
default_process_limit = 100
initial_destination_concurrency = 20
virtual_destination_concurrency_limit = 20
in_flow_delay = 0
max_use = 100000
notify_classes =
biff = no
""", encoding="ascii")
        (self._config / "maildrops").write_text(
            "".join(f"user{i}@bench.example user{i}/\n" for i in range(accounts)), encoding="ascii")
        (self._config / "master.cf").write_text(f"""\
127.0.0.1:{self.port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
""", encoding="ascii")
        workshop.command("postfix", "-c", self._config, "check", timeout=60)
        self.server = Server(workshop, [DAEMONS / "master", "-d", "-c", self._config], workshop.path / "postfix.log")
        self.server.wait_greeting(self.port, b"220")

    def stop(self):
        self.server.stop()

    def readable(self):
        """How many messages lie in the Maildirs where a reader would find them."""
        count = 0
        for maildir in self.maildirs.iterdir():
            try:
                with os.scandir(maildir / "new") as entries:
                    count += sum(1 for _ in entries)
            except FileNotFoundError:
                pass
        return count

    def clear(self):
        """Takes the delivered messages away, so that the next run's directories are as short as the last one's."""
        for maildir in self.maildirs.iterdir():
            shutil.rmtree(maildir)

    def rate(self, sessions, messages, size, timeout=300):
        """Messages a second from the first MAIL until the last one is readable."""
        self.clear()
        out = self._workshop.command("smtp_load", self.port, sessions, messages, size, 1)
        started = float(out.split()[2])
        while (there := self.readable()) < messages:
            if time.monotonic() - started > timeout:
                raise self.server.fail(f"Postfix delivered {there} of {messages} messages in {timeout} s")
            time.sleep(0.01)
        return messages / (time.monotonic() - started)
