"""testssl.sh against one way into TLS: what it finds, and the grade that comes to."""

import json
import os
import re
import subprocess

NAME = "mail.office.example"

INHERENT = {
    "cert_chain_of_trust": "it signed itself: whoever trusts it has looked at its fingerprint",
    "cert_validityPeriod": "it outlives the device, whose clock may be at 1970, and nobody would renew it",
    "cert_revocation": "nobody could revoke what nobody issued",
}
"""Findings that any self-signed certificate has. With one of an authority there is none of them."""

ITS_OWN = {
    "engine_problem": "Debian's OpenSSL has no GOST",
    "sessionresumption_ticket": "it looks for the ticket before that can have come; test_tls_handshake.py resumes sessions",
}
"""Warnings of testssl.sh about itself."""

QUICK = ("--protocols", "--pfs", "--heartbleed", "--ccs", "--renegotiation", "--tls-fallback")


def scan(where, port, starttls=None, ca=None, quick=False, seconds=1500):
    """[{id, severity, finding}]."""
    file = where / f"testssl-{port}.json"
    command = ["testssl", "--jsonfile", str(file), "--color", "0", "--warnings", "off", "--quiet", "--nodns", "none",
               "--connect-timeout", "10", "--openssl-timeout", "10", "--ip", "127.0.0.1"]
    command += ["--starttls", starttls] if starttls else []
    command += ["--add-ca", str(ca)] if ca else []
    done = subprocess.run([*command, *(QUICK if quick else ()), f"{NAME}:{port}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, cwd=where,
                          env={**os.environ, "TERM": "dumb"})
    text = done.stdout.decode(errors="replace")
    assert file.exists() and " Done 20" in text, f"testssl did not come to its end: {text[-2000:]}"
    return json.loads(file.read_text())


def above_low(findings, but=()):
    return [f"{found['id']}: {found['severity']}: {found['finding']}" for found in findings
            if found["severity"] in ("MEDIUM", "HIGH", "CRITICAL") + ("WARN",) * (found["id"] not in ITS_OWN)
            and found["id"] not in but]


def finding(findings, identity):
    return next((found["finding"] for found in findings if found["id"] == identity), "")


def grade(findings, trusted):
    """The letter of the SSL Server Rating Guide 2009q, by its arithmetic; testssl.sh 3.0 has none of its own.

    Protocols: the mean of the best and the worst offered, 30 %. Key exchange: 90 for curves of 256 bits, 100 from 384 on
    if nothing weaker is offered, 30 %. Ciphers: the mean of 100 for 256 bits and 80 for 128, 40 %. From 80 on it is an A; a
    certificate that nobody vouches for makes it a T, whatever the rest."""
    points = {"SSLv2": 0, "SSLv3": 80, "TLS1": 90, "TLS1_1": 95, "TLS1_2": 100, "TLS1_3": 100}
    offered = [points[name] for name in points if re.match("offered", finding(findings, name))]
    protocols = (max(offered) + min(offered)) / 2
    ciphers = " ".join(found["finding"] for found in findings if found["id"] in ("FS_ciphers", "PFS_ciphers"))
    bits = {256 if re.search("256.GCM|CHACHA20", name) else 128 for name in ciphers.split()}
    ciphers = (max(map({256: 100, 128: 80}.get, bits)) + min(map({256: 100, 128: 80}.get, bits))) / 2
    total = 0.3 * protocols + 0.3 * 90 + 0.4 * ciphers
    letter = "A" if total >= 80 else "B" if total >= 65 else "C" if total >= 50 else "F"
    if above_low(findings, INHERENT):
        letter = "B or worse"
    return (letter if trusted else f"T ({letter} but for trust)"), total
