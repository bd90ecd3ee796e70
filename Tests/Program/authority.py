"""A certificate authority, and what it issues: for offices that have bought their certificate."""

import subprocess


def issue(where, name="mail.office.example"):
    """(the authority's certificate, ours, our key), files in PEM."""
    where.mkdir(parents=True, exist_ok=True)
    ca, ca_key, own, key, request = (where / file for file in ("ca.pem", "ca.key", "own.pem", "own.key", "own.csr"))
    extensions = where / "extensions"
    extensions.write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=critical,CA:FALSE\n"
                          "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
                          "crlDistributionPoints=URI:http://crl.authority.example/all.crl\n"
                          "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", 3650, "-subj", "/O=Test/CN=Test Authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-new", *curve, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-set_serial", "0x5f3a7c1122334455667788",
            "-days", 90, "-sha256", "-extfile", extensions, "-out", own)
    return ca, own, key
