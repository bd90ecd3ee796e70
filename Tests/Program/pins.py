"""What a client is told of the one certificate it shall take, in the form that each kind of client wants."""

import base64
import hashlib
import ssl
import subprocess


class Pin:
    """Made from a file with the certificate, and checked against the SHA-256 fingerprint that the program shows."""

    def __init__(self, file, shown):
        self.file = file
        self.der = ssl.PEM_cert_to_DER_cert(file.read_text())
        self.sha256 = digest("sha256", self.der)
        assert self.sha256 == shown
        # fetchmail knows fingerprints by MD5 alone.
        self.md5 = digest("md5", self.der)
        # curl pins the public key.
        key = subprocess.run(["openssl", "x509", "-in", file, "-noout", "-pubkey"], stdout=subprocess.PIPE, check=True)
        spki = base64.b64decode(b"".join(key.stdout.split(b"\n")[1:-2]))
        self.key = "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()

    def fits(self, tls_socket):
        return tls_socket.getpeercert(binary_form=True) == self.der


def digest(kind, octets):
    """As programs write it: upper-case hexadecimal with colons."""
    text = hashlib.new(kind, octets).hexdigest().upper()
    return ":".join(text[at:at + 2] for at in range(0, len(text), 2))
