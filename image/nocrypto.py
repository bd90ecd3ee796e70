"""Takes the cryptographic libraries out of systemd. Its programs are linked with OpenSSL's for encrypted disks, signed images
and TPMs, and with libgcrypt for sealed journals. This device has none of these, and each of its programs would pay 450 kB of
memory for relocating them. In their place come libraries with the same names and nothing behind them: each answers NULL or
0, which every caller takes for a failure.
"""
import re
import subprocess

# Restante is linked with OpenSSL, too, and gets it: what stands in for it has another name, of the same length.
REAL, NONE = b"libcrypto.so.3\0", b"libcrypto.so.0\0"
CRYPTO, GCRYPT = ("libcrypto.so.0", "OPENSSL_3.0.0"), ("libgcrypt.so.20", "GCRYPT_1.6")


def needs(file, version):
    """The names of that version which an ELF file expects of others."""
    text = subprocess.run(["nm", "-D", "--undefined-only", file], stdout=subprocess.PIPE, check=True).stdout.decode()
    return re.findall(rf" U (\w+)@{re.escape(version)}", text)


def make(library, files, directory, compiler, run):
    """Makes the library that stands in for what these files need."""
    soname, version = library
    names = sorted({name for file in files for name in needs(file, version)})
    source, script = directory / "nothing.c", directory / "nothing.map"
    source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in names))
    script.write_text(f"{version} {{ global: {'; '.join(names)}; local: *; }};\n")
    run(*compiler, "-shared", "-fPIC", "-Os", "-Wall", "-Wextra", "-s", "-nostdlib",
        f"-Wl,--build-id=none,-soname,{soname}", f"-Wl,--version-script={script}", "-o", directory / soname, source)
    source.unlink()
    script.unlink()


def replace(root, directory, compiler, run):
    """In the root, whose libraries are in `directory`."""
    found = [root / "usr/bin/systemctl", next(directory.glob("systemd/libsystemd-shared-*.so")),
             next(directory.glob("libkmod.so.2.*"))]
    make(CRYPTO, found, directory, compiler, run)
    for file in found:
        content = file.read_bytes()
        if content.count(REAL) != 1:
            raise SystemExit(f"image/assemble: {file} names libcrypto {content.count(REAL)} times")
        file.write_bytes(content.replace(REAL, NONE))
    make(GCRYPT, found + [next(directory.glob("libsystemd.so.0.*"))], directory, compiler, run)
