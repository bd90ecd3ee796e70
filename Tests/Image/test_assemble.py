"""What the image is made of, and how."""

import hashlib
import os
import shutil
import struct
import subprocess

import pytest

from box import image
from conftest import ARCH
from office import REPOSITORY

# What is made for tests, and the image itself.
LEFT_OUT = {".git", ".build", "unit", "fuzz", "test", "kernel", ARCH + "-small", "unpacked"}


def ignored(directory, names):
    if directory == str(REPOSITORY / "build" / "image"):
        return {name for name in names if name != "packages"}
    return LEFT_OUT & set(names)


def digest(file):
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@pytest.mark.skipif("RESTANTE_IMAGE" in os.environ, reason="NOT TESTED: another image than the one that make builds is named")
def test_the_image_is_bit_for_bit_the_same_when_it_is_made_again(tmp_path):
    """In another place, at another time, by somebody with other habits."""
    again = tmp_path / "elsewhere"
    shutil.copytree(REPOSITORY, again, symlinks=True, ignore=ignored)
    root = (REPOSITORY / "build" / "image" / ARCH / "root.squashfs").read_bytes()[:96]
    # The time in its superblock, as was asked for.
    made, = struct.unpack_from("<I", root, 8)
    done = subprocess.run(["sh", "-c", f"umask 077; exec make --no-print-directory image ARCH={ARCH}"], cwd=again,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          env={**os.environ, "SOURCE_DATE_EPOCH": str(made), "TZ": "Asia/Kathmandu", "MAKEFLAGS": ""})
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    assert digest(again / "build" / "image" / image(ARCH).name) == digest(image(ARCH))
