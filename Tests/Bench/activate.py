"""
Becomes another program, to which it hands listening sockets as systemd does (sd_listen_fds(3)).

    activate.py NUMBER:NAME … -- PROGRAM ARGUMENT …

NUMBER is a descriptor that was inherited, NAME what systemd.socket(5) calls FileDescriptorName=.
"""

import fcntl
import os
import sys

FIRST = 3  # SD_LISTEN_FDS_START


def main():
    end = sys.argv.index("--")
    numbers, names = zip(*(word.split(":") for word in sys.argv[1:end]))
    # First out of the way, then into place.
    aside = [fcntl.fcntl(int(number), fcntl.F_DUPFD_CLOEXEC, FIRST + len(numbers)) for number in numbers]
    for i, number in enumerate(aside):
        os.dup2(number, FIRST + i)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
    os.execv(sys.argv[end + 1], sys.argv[end + 1:])


main()
