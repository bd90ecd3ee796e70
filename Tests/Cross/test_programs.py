"""The shipped program of every architecture: what it is linked with, how large it is, and one message through it.

A foreign program runs under qemu-user with the libraries that it was linked against."""

import functools
import pathlib
import platform
import re
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests" / "Program"))

import letters  # noqa: E402
import office as offices  # noqa: E402

BUILD = REPOSITORY / "build"
MACHINES = {"amd64": ("x86_64", "Advanced Micro Devices X86-64"), "arm64": ("aarch64", "AArch64"),
            "armhf": ("arm", "ARM")}
LIBRARIES = {"libssl.so.3", "libcrypto.so.3", "libsystemd.so.0", "libm.so.6", "libc.so.6"}
DYNAMIC_LINKERS = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "ld-linux-armhf.so.3"}
# Two thirds of it are the server; the rest is what a technician finds on the console.
MAXIMUM_SIZE = 704 * 1024

every_architecture = pytest.mark.parametrize("architecture", MACHINES)


def readelf(architecture, *options):
    command = ["readelf", "--wide", *options, str(BUILD / architecture / "restante")]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


@every_architecture
def test_is_for_its_machine_and_stripped(architecture):
    assert f"Machine:                           {MACHINES[architecture][1]}" in readelf(architecture, "--file-header")
    assert ".symtab" not in readelf(architecture, "--sections")
    if architecture == "armhf":
        assert "Tag_ABI_VFP_args: VFP registers" in readelf(architecture, "--arch-specific")


@every_architecture
def test_is_at_most_704_kB(architecture):
    size = (BUILD / architecture / "restante").stat().st_size
    print(f"build/{architecture}/restante: {size} octets")
    assert size <= MAXIMUM_SIZE


@every_architecture
def test_needs_no_library_but_those_of_a_small_system(architecture):
    """No libstdc++, no Foundation, no Swift runtime."""
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf(architecture, "--dynamic")))
    assert "libcrypto.so.3" in needed
    assert needed - DYNAMIC_LINKERS <= LIBRARIES


@every_architecture
def test_is_hardened(architecture):
    """Position-independent, its relocations read-only from the start, no stack or segment both writable and executable,
    and the C checked for overruns."""
    dynamic = readelf(architecture, "--dynamic")
    assert re.search(r"\(FLAGS_1\).*NOW.*PIE", dynamic)
    assert "BIND_NOW" in dynamic
    assert "TEXTREL" not in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic
    segments = readelf(architecture, "--program-headers")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.* RW ", segments)
    assert "RWE" not in segments
    symbols = readelf(architecture, "--dyn-syms")
    assert "__stack_chk_fail" in symbols


@pytest.fixture
def program(architecture, tmp_path, monkeypatch):
    """The program as this machine can run it; offices made after this use it."""
    run = [str(BUILD / architecture / "restante")]
    machine = MACHINES[architecture][0]
    if machine != platform.machine():
        run = [f"qemu-{machine}-static", "-L", str(BUILD / f"sysroot-{architecture}"), *run]
    wrapper = tmp_path / "restante"
    wrapper.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in run) + ' "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(offices, "PROGRAM", str(wrapper))
    return functools.partial(subprocess.run, [str(wrapper), "--version"], stdout=subprocess.PIPE, check=True)


@every_architecture
def test_says_its_version(architecture, program):
    assert re.fullmatch(rb"restante \S+\n", program().stdout)


@every_architecture
def test_what_is_sent_is_fetched_octet_by_octet(architecture, program, tmp_path):
    """Also after a restart; and what was deleted stays away."""
    office = offices.Office(tmp_path / "office")
    try:
        office.start(60)
        for content in letters.AWKWARD.values():
            office.deliver(content, "anna")
        wanted = sorted(letters.AWKWARD.values())
        assert sorted(map(letters.original, office.fetch("anna").values())) == wanted
        office.stop()
        office.start(60)
        fetched = office.fetch("anna")
        assert sorted(map(letters.original, fetched.values())) == wanted
        with office.pop3("anna") as reader:
            reader.dele(*reader.list())
            reader.quit()
        office.stop()
        office.start(60)
        assert office.fetch("anna") == {}
    finally:
        office.close()
