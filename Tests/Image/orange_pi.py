"""A board that can be bought, as QEMU emulates it: Allwinner's H3, whose own ROM starts U-Boot from the card, Debian's for
that board. All on it that leads to the card, the network and the serial line is on the chip itself."""

import subprocess

from box import PORTS, Box
from office import REPOSITORY

PACKAGE = "u-boot-sunxi"
BOARD = "orangepi_zero"
# Where the ROM looks for it, between the partition table and the first partition.
PLACE = 8 << 10


def u_boot():
    """As the package has it; it is fetched once."""
    where = REPOSITORY / "build" / "image" / "packages" / PACKAGE
    subprocess.run([REPOSITORY / "image" / "fetch", "armhf", where, PACKAGE], check=True)
    package, = where.glob("*.deb")
    files = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
    return subprocess.run(["tar", "-xO", f"./usr/lib/u-boot/{BOARD}/u-boot-sunxi-with-spl.bin"], input=files, check=True,
                          stdout=subprocess.PIPE).stdout


class OrangePi(Box):
    def __init__(self):
        super().__init__(arch="armhf", shell=False)
        octets = u_boot()
        assert PLACE + len(octets) <= self.card.partitions()["restante-esp"][0]
        with open(self.card.path, "r+b") as card:
            card.seek(PLACE)
            card.write(octets)

    def command(self):
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{self.ports[name]}-:{PORTS[name]}" for name in PORTS)
        return ["qemu-system-arm", "-machine", "orangepi-pc", "-accel", "tcg,tb-size=256", "-nodefaults", "-display", "none",
                "-S", "-no-user-config",
                "-chardev", f"socket,id=serial,path={self.where}/serial,server=on,wait=off", "-serial", "chardev:serial",
                "-chardev", f"socket,id=second,path={self.where}/second,server=on,wait=off", "-serial", "chardev:second",
                "-qmp", f"unix:{self.where}/qmp,server=on,wait=off", "-nic", f"user,restrict=on{forwards}",
                "-drive", f"if=sd,format=raw,file={self.card.path}"]
