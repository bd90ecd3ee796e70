"""Certificates made with openssl(1): an authority, its intermediate, and what they sign."""

import subprocess


def openssl(*arguments, input=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=input, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


class Authority:
    """A root, an intermediate signed by it, and `issue` for the rest; all files stand in `where`."""

    def __init__(self, where):
        self.where = where
        where.mkdir()
        self.root = self.make("root", None, "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n")
        self.intermediate = self.make(
            "intermediate", "root", "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
            "authorityKeyIdentifier=keyid\n")

    def make(self, name, issuer, extensions, days=90, key=("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """NAME.pem and NAME.key; returns the certificate's path."""
        certificate, secret, request, wanted = (self.where / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
        openssl("genpkey", *key, "-out", secret)
        wanted.write_text(extensions)
        openssl("req", "-new", "-key", secret, "-subj", f"/O=Example/CN={name}", "-out", request)
        signer = ("-CA", self.where / f"{issuer}.pem", "-CAkey", self.where / f"{issuer}.key", "-CAcreateserial") \
            if issuer else ("-key", secret)
        openssl("x509", "-req", "-in", request, "-days", days, "-extfile", wanted, "-out", certificate, *signer)
        return certificate

    def issue(self, name="server", hosts=("mail.office.example",), usage="serverAuth", **options):
        """A certificate for `hosts` by the intermediate: (file with the chain, file with the key)."""
        names = ",".join(f"DNS:{host}" for host in hosts)
        leaf = self.make(name, "intermediate", f"subjectAltName={names}\nextendedKeyUsage={usage}\n"
                         "authorityKeyIdentifier=keyid\n", **options)
        chain = self.where / f"{name}.chain.pem"
        chain.write_bytes(leaf.read_bytes() + self.intermediate.read_bytes())
        return chain, self.where / f"{name}.key"


def fingerprint(file):
    """As openssl(1) prints it."""
    return openssl("x509", "-in", file, "-noout", "-fingerprint", "-sha256").decode().strip().split("=")[1]
