"""What a device starts from: the initial RAM disk, the boot loader, the file systems and the disk's partitions."""
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
MIB = 1 << 20
SECTOR = 512
EFI = {"amd64": ("x86_64-efi", "BOOTX64.EFI"), "arm64": ("arm64-efi", "BOOTAA64.EFI"),
       "armhf": ("arm-efi", "BOOTARM.EFI")}
# On boards of ARM the device tree, or the firmware, says which serial line is the console, as long as nobody else does.
CONSOLES = {"amd64": "console=tty0 console=ttyS0,115200", "arm64": "", "armhf": ""}
GRUB_MODULES = "part_gpt fat normal linux configfile loadenv test echo regexp sleep reboot gzio minicmd".split()
# What each partition is called, how large it is in MiB and what it is for; their numbers are the same on every board.
# A slot's sizes are for good: a later system has to fit too.
BIOS_BOOT, ESP, LINUX = ("21686148-6449-6E6F-744E-656564454649", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
                         "0FC63DAF-8483-4772-8E79-3D69D8477DE4")
PARTITIONS = [
    (1, "restante-bios", 1, BIOS_BOOT), (2, "restante-esp", 4, ESP),
    (3, "restante-boot-a", 13, LINUX), (4, "restante-boot-b", 13, LINUX),
    (5, "restante-root-a", 29, LINUX), (6, "restante-root-b", 29, LINUX),
    (7, "restante-data", 192, LINUX),
]


def run(*command, **options):
    """Runs a command, and shows what it said when it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        sys.exit(f"image/assemble: {command[0]} failed ({done.returncode}):\n" + done.stdout.decode(errors="replace"))
    return done.stdout


def with_room_to_unpack(kernel):
    """An ARM kernel unpacks itself with 64 KiB behind its own image (arch/arm/boot/compressed/head.S), and its PE header
    (https://learn.microsoft.com/windows/win32/debug/pe-format) does not ask UEFI for them (Linux 6.1): then it overwrites
    what GRUB has put there, which is the initial RAM disk. So the header asks for them here."""
    room = 0x10000
    octets = bytearray(kernel)
    header, = struct.unpack_from("<I", octets, 0x3C)
    sections, = struct.unpack_from("<H", octets, header + 6)
    options, = struct.unpack_from("<H", octets, header + 20)
    last = header + 24 + options + 40 * (sections - 1)
    if octets[header:header + 4] != b"PE\0\0" or octets[last:last + 8].rstrip(b"\0") != b".data":
        sys.exit("image/assemble: the kernel is not made as was expected: look at with_room_to_unpack")
    for place in (header + 24 + 56, last + 8):  # SizeOfImage, the section's VirtualSize
        size, = struct.unpack_from("<I", octets, place)
        struct.pack_into("<I", octets, place, size + room)
    return bytes(octets)


def identifier(*parts):
    """A UUID that depends on nothing but these words: the same in each build."""
    return str(uuid.uuid5(uuid.UUID("9f0d5a3e-0c52-4c8a-9c3f-6d2f1be1a7c4"), "/".join(parts)))


class Disk:
    """The second half of Builder, which see for what it has."""

    # Starting

    def make_init(self):
        file = self.work / "init"
        run(*self.compiler, "-static", "-Os", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Wno-format-truncation",
            "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections,--build-id=none", "-s", f"-DBUILD_TIME={self.epoch}", "-o", file,
            *sorted((HERE / "initrd").glob("*.c")))
        return file

    def late(self, name):
        return "-" if name in self.late_modules else ""

    def make_initrd(self):
        base = self.root / f"usr/lib/modules/{self.release}"
        lines = []
        for name, files in self.start_modules.items():
            lines.append(" ".join([self.late(name) + name] + [Path(file).name for file in files]))
        aliases = base / "modules.alias"
        for line in aliases.read_text().splitlines() if aliases.exists() else []:
            if line.startswith("alias "):
                _, pattern, name = line.rsplit(" ", 2) if line.count(" ") > 2 else line.split(" ")
                if name in self.start_modules:
                    lines.append(" ".join([self.late(name) + pattern] + [Path(file).name for file in self.start_modules[name]]))
        entries = [(name, 0o40755, b"") for name in ("dev", "proc", "sys", "run", "sysroot", "modules")]
        entries.append(("init", 0o100755, self.make_init().read_bytes()))
        entries.append(("modules/list", 0o100644, ("\n".join(lines) + "\n").encode()))
        for file in sorted({file for files in self.start_modules.values() for file in files}):
            entries.append((f"modules/{Path(file).name}", 0o100644, (base / file).read_bytes()))
        archive = bytearray()
        # The format that the kernel calls newc. A console is wanted before /dev is mounted.
        entries.append(("dev/console", 0o20600, b""))
        for number, (name, mode, content) in enumerate(entries + [("TRAILER!!!", 0, b"")]):
            device = (5, 1) if name == "dev/console" else (0, 0)
            fields = [number + 1, mode, 0, 0, 1, self.epoch, len(content), 0, 0, *device, len(name) + 1, 0]
            archive += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
            archive += bytes(-len(archive) % 4) + content
            archive += bytes(-len(archive) % 4)
        plain = self.work / "initrd.cpio"
        plain.write_bytes(archive)
        packed = self.work / "initrd"
        run("zstd", "-q", "-f", "-19", plain, "-o", packed)
        return packed

    def file_system(self, name, size, label, files):
        """A FAT of so many MiB with these files: path in it -> file here."""
        image = self.work / name
        image.unlink(missing_ok=True)
        with open(image, "wb") as file:
            file.truncate(size * MIB)
        number = hashlib.sha256(label.encode()).hexdigest()[:8]
        run("mkfs.vfat", "--invariant", "-i", number, "-n", label, "-s", "4" if size < 8 else "8", image)
        made = set()
        for path, source in files.items():
            for parent in reversed(Path(path).parents[:-1]):
                if parent not in made:
                    run("mmd", "-i", image, f"::/{parent}")
                    made.add(parent)
            os.utime(source, (self.epoch, self.epoch))
            run("mcopy", "-m", "-i", image, source, f"::/{path}")
        return image

    def kernel_options(self):
        """What else Debian's kernel is told, for the memory."""
        if self.kernel != "debian":
            return ""
        # Tracing's files would be 7 MB. Lockdown keeps them from being made, and strangers out of the kernel.
        options = ["lockdown=confidentiality", "lsm=lockdown", "audit=0", "zswap.enabled=0"]
        # /sys/kernel/slab is 740 kB, what zswap prepares even when it is off 300 kB.
        blacklist = ["slab_sysfs_init", "init_zswap"]
        if self.arch == "amd64":
            # Each has a thread, 26 kB, and nothing to do: no drivers, no pages to merge.
            blacklist += ["ksm_init", "devfreq_init", "edac_init", "tpm_init"]
            # Memory for devices that do not see what the processor sees: 370 kB, and PCs have none.
            options += ["coherent_pool=4K"]
        else:
            # 16 or 64 MiB in one piece, for cameras and screens, which the kernel itself may not use.
            options += ["cma=0"]
        # Room for the names of 4,000 files is enough, however much memory there is: 150 kB and more.
        return " ".join(["initcall_blacklist=" + ",".join(blacklist), "dhash_entries=4096", "ihash_entries=2048",
                         *options]) + " "

    def boot_slot(self):
        kernel = self.kernel_file.read_bytes()
        # On arm64 it does not unpack itself, and a slot has no room for all 33 MB of it; GRUB unpacks it.
        if self.arch == "arm64" and kernel[:2] != b"\x1f\x8b":
            kernel = run("gzip", "-9n", input=kernel)
        if self.arch == "armhf":
            kernel = with_room_to_unpack(kernel)
        (self.work / "vmlinuz").write_bytes(kernel)
        (self.work / "slot.cfg").write_text((HERE / "grub/slot.cfg").read_text().replace("@CONSOLES@", CONSOLES[self.arch])
                                              .replace("@OPTIONS@", self.kernel_options()))
        files = {"grub.cfg": self.work / "slot.cfg", "vmlinuz": self.work / "vmlinuz", "initrd": self.make_initrd()}
        return self.file_system("boot.fat", self.size("restante-boot-a"), "BOOT", files)

    def grub(self, target, file):
        run("grub-mkimage", "-O", target, "-d", self.unpacked / f"usr/lib/grub/{target}", "-p", "(,gpt2)/grub",
            "-o", file, *GRUB_MODULES, *(["biosdisk"] if target == "i386-pc" else ["efi_gop"]))

    def esp(self):
        run("grub-script-check", HERE / "grub/grub.cfg")
        target, name = EFI[self.arch]
        self.grub(target, self.work / name)
        environment = self.work / "grubenv"
        text = "# GRUB Environment Block\nslot=a\ntries=0\n"
        environment.write_text(text + "#" * (1024 - len(text)))
        return self.file_system("esp.fat", self.size("restante-esp"), "RESTANTE", {
            f"EFI/BOOT/{name}": self.work / name, "grub/grub.cfg": self.copy_of(HERE / "grub/grub.cfg"),
            "grub/grubenv": environment})

    def copy_of(self, source):
        target = self.work / source.name
        shutil.copyfile(source, target)
        return target

    def data(self):
        file = self.work / "data.ext4"
        file.unlink(missing_ok=True)
        environment = dict(os.environ, E2FSPROGS_FAKE_TIME=str(self.epoch), MKE2FS_DEVICE_SECTSIZE="512")
        # Few files, large ones. Room for the descriptors of 2 TiB; a journal that is right for a card.
        run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-I", "256", "-i", "65536", "-J", "size=16", "-m", "1",
            "-L", "restante-data",
            "-U", identifier("data"), "-O", "metadata_csum,64bit,^huge_file", "-e", "remount-ro", "-F", "-E",
            f"hash_seed={identifier('hash')},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard,resize=536870912",
            file, f"{self.size('restante-data')}M", env=environment)
        return file

    # The disk

    def size(self, label):
        return next(size for _, name, size, _ in PARTITIONS if name == label)

    def assemble(self, contents):
        image = self.image.with_suffix(".img.new")
        image.unlink(missing_ok=True)
        start, starts, table = 1, {}, [f"label: gpt\nlabel-id: {identifier('disk')}\nfirst-lba: 34\n"]
        if self.arch != "amd64":
            # From 8 KiB on some boards have their U-Boot, and up to the first partition there is nothing else.
            table.append("table-length: 56\n")
        for number, name, size, kind in PARTITIONS:
            starts[name] = start * MIB
            if kind != BIOS_BOOT or self.arch == "amd64":
                table.append(f"{number}: start={start * MIB // SECTOR}, size={size * MIB // SECTOR}, type={kind}, "
                             f"uuid={identifier(name)}, name={name}\n")
            start += size
        with open(image, "wb") as file:
            file.truncate((start + 1) * MIB)
        run("sfdisk", "-q", image, input="".join(table).encode())
        for name, content in contents.items():
            run("dd", f"if={content}", f"of={image}", "bs=1M", f"seek={starts[name] // MIB}", "conv=notrunc,sparse")
        if self.arch == "amd64":
            self.start_by_bios(image, starts["restante-bios"])
        image.rename(self.image)

    def start_by_bios(self, image, start):
        """What grub-bios-setup does: the first sector knows where the core begins, and that where it goes on."""
        core_file = self.work / "core.img"
        self.grub("i386-pc", core_file)
        core = bytearray(core_file.read_bytes())
        core += bytes(-len(core) % SECTOR)
        first = start // SECTOR
        struct.pack_into("<QHH", core, SECTOR - 12, first + 1, len(core) // SECTOR - 1, 0x820)
        boot = bytearray((self.unpacked / "usr/lib/grub/i386-pc/boot.img").read_bytes())
        struct.pack_into("<Q", boot, 0x5C, first)
        # No floppy: trust the BIOS with the number of the drive only where it makes sense.
        boot[0x66:0x68] = b"\x90\x90"
        with open(image, "r+b") as file:
            file.write(boot[:440])
            file.seek(start)
            file.write(core)
