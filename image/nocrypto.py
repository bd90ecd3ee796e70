"""Takes OpenSSL out of systemd: its programs are linked with libcrypto for encrypted disks, signed images and TPMs, none of
which this device has, and each of them pays 400 kB of memory for relocating it at its start. In its place comes a library
with the same names and nothing behind them: each answers NULL or 0, which every caller takes for a failure.
"""
import re
import subprocess
from pathlib import Path

REAL, NONE = b"libcrypto.so.3\0", b"libcrypto.so.0\0"
VERSION = "OPENSSL_3.0.0"


def needs(file):
    """The names that an ELF file expects of OpenSSL."""
    text = subprocess.run(["nm", "-D", "--undefined-only", file], stdout=subprocess.PIPE, check=True).stdout.decode()
    return set(re.findall(rf" U (\w+)@{re.escape(VERSION)}", text))


def rename(file):
    """Has a file ask for the other library: the names are of the same length, so nothing moves."""
    content = Path(file).read_bytes()
    if content.count(REAL) != 1:
        raise SystemExit(f"image/assemble: {file} names libcrypto {content.count(REAL)} times")
    Path(file).write_bytes(content.replace(REAL, NONE))


def replace(files, directory, compiler, run):
    """Makes the library in `directory`, for these files, which are changed."""
    names = sorted(set().union(*map(needs, files)))
    source, script = directory / "nocrypto.c", directory / "nocrypto.map"
    source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in names))
    script.write_text(f"{VERSION} {{ global: {'; '.join(names)}; local: *; }};\n")
    library = directory / NONE[:-1].decode()
    run(*compiler, "-shared", "-fPIC", "-Os", "-Wall", "-Wextra", "-Wno-builtin-requires-header", "-s", "-nostdlib",
        f"-Wl,--build-id=none,-soname,{library.name}", f"-Wl,--version-script={script}", "-o", library, source)
    for file in (source, script):
        file.unlink()
    for file in files:
        rename(file)
