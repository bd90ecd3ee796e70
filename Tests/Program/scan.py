"""`make scan`: everything that testssl.sh tries, on both TLS ports and both upgrade commands, with the device's own
certificate and with one of an authority."""

import concurrent.futures
import pathlib
import sys
import tempfile

import authority
import office as offices
import testssl


def ways(office):
    return {"465": (office.smtps_port, None), "995": (office.pop3s_port, None),
            "25 STARTTLS": (office.smtp_port, "smtp"), "110 STLS": (office.pop3_port, "pop3")}


def bought(where):
    """An office with an authority's certificate, and the authority's own."""
    ca, own, key = authority.issue(where / "authority")
    return offices.Office(where / "bought", {"TLS": {"Certificate": own, "PrivateKey": key}}, tls=True), ca


def main():
    bad = False
    with tempfile.TemporaryDirectory(prefix="restante-scan.") as directory:
        where = pathlib.Path(directory)
        own = offices.Office(where / "own", tls=True)
        other, ca = bought(where)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = {}
            for office, kind, trusted in ((own.start(), "own certificate", None), (other.start(), "issued one", ca)):
                for way, (port, starttls) in ways(office).items():
                    jobs[way, kind] = pool.submit(testssl.scan, where, port, starttls, trusted)
            for (way, kind), job in jobs.items():
                findings = job.result()
                trusted = kind != "own certificate"
                troubles = testssl.above_low(findings, () if trusted else testssl.INHERENT)
                letter, total = testssl.grade(findings, trusted)
                low = [found["id"] for found in findings if found["severity"] == "LOW"]
                print(f"{way}, {kind}: grade {letter}, {total:.0f} points, {len(findings)} findings, LOW: {low}", flush=True)
                for trouble in troubles:
                    bad = True
                    print(f"  TROUBLE: {trouble}", flush=True)
                if not trusted:
                    for trouble in testssl.above_low(findings):
                        print(f"  of any self-signed one: {trouble}")
        own.close()
        other.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
