"""Firmware for the tests of updates: made of what the image is made of, signed with keys that are made for the test."""

import os
import pathlib
import shutil
import subprocess

from office import REPOSITORY

UPDATE = REPOSITORY / "image" / "update"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}: {done.stdout.decode(errors='replace')}"
    return done.stdout.decode(errors="replace")


class Signer:
    """Somebody who signs firmware."""

    def __init__(self, directory):
        run(UPDATE / "signing", directory)
        self.certificate, self.key = directory / "certificate.pem", directory / "key.pem"


class Workshop:
    """Takes the built slot apart, and makes others of it."""

    def __init__(self, where, arch="amd64"):
        self.where, self.arch = pathlib.Path(where), arch
        built = REPOSITORY / "build" / "image" / arch
        self.boot = built / "boot.fat"
        self.maker = Signer(self.where / "maker")
        self.stranger = Signer(self.where / "stranger")
        self.tree = self.where / "tree"
        run("unsquashfs", "-q", "-n", "-no-xattrs", "-d", self.tree, built / "root.squashfs")
        shutil.copy(self.maker.certificate, self.tree / "usr/lib/restante/signers.pem")

    def root(self, version, seconds=600, **files):
        """A root file system of that version; `files` are other files' new contents, by path."""
        image = self.where / f"root-{version}"
        if image.exists():
            return image
        release = {"usr/lib/restante/release": f"VERSION={version}\nMINIMUM={version}\nBOARD=restante-{self.arch}\n"
                                               f"TRIAL_SECONDS={seconds}\n"}
        kept = {}
        for path, content in {**release, **files.get("files", {})}.items():
            file = self.tree / path
            kept[file] = file.read_bytes() if file.exists() else None
            file.write_text(content)
        run("mksquashfs", self.tree, image, "-comp", "zstd", "-Xcompression-level", "3", "-b", "128K", "-all-root",
            "-no-xattrs", "-noappend", "-no-progress", "-quiet")
        for file, content in kept.items():
            if content is None:
                file.unlink()
            else:
                file.write_bytes(content)
        return image

    def bundle(self, name, version, root, signer=None, arch=None, boot=None, changes="- tests"):
        """A signed bundle; returns its path."""
        output, text = self.where / f"{name}.raucb", self.where / "changes"
        text.write_text(changes)
        signer = signer or self.maker
        run(UPDATE / "bundle", output, env=dict(
            os.environ, BOOT=str(boot or self.boot), ROOT=str(root), ARCHITECTURE=arch or self.arch, VERSION=version,
            CHANGES=str(text), CERTIFICATE=str(signer.certificate), KEY=str(signer.key)))
        return output

    def stick(self, bundles):
        """A USB stick with these files on it."""
        image = self.where / "stick"
        size = sum(bundle.stat().st_size for bundle in bundles) + (16 << 20)
        with open(image, "wb") as file:
            file.truncate(size >> 20 << 20)
        run("mkfs.vfat", "-n", "STICK", image)
        for bundle in bundles:
            run("mcopy", "-i", image, bundle, f"::/{bundle.name}")
        return image
