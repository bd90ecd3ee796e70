"""A client's side of SCRAM-SHA-256, written from RFC 5802 and RFC 7677."""

import base64
import hashlib
import hmac
import secrets


class Client:
    """One exchange. `binding` is the channel binding's octets for a `header` that names one."""

    def __init__(self, name, password, header=b"n,,", binding=b""):
        self.password, self.header, self.binding = password, header, binding
        escaped = name.replace(b"=", b"=3D").replace(b",", b"=2C")
        self.bare = b"n=" + escaped + b",r=" + base64.b64encode(secrets.token_bytes(18))

    def first(self):
        return self.header + self.bare

    def final(self, challenge):
        """The answer to the server's first message, which must be in order."""
        fields = dict(field.split(b"=", 1) for field in challenge.split(b","))
        ours = self.bare.rpartition(b",r=")[2]
        assert list(fields) == [b"r", b"s", b"i"] and fields[b"r"].startswith(ours), challenge
        assert len(fields[b"r"]) >= len(ours) + 24 and int(fields[b"i"]) >= 4096, challenge
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields[b"s"], validate=True),
                                     int(fields[b"i"]))
        message = b"c=" + base64.b64encode(self.header + self.binding) + b",r=" + fields[b"r"]
        spoken = self.bare + b"," + challenge + b"," + message
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), spoken, "sha256")
        self.expected = b"v=" + base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), spoken,
                                                             "sha256"))
        return message + b",p=" + base64.b64encode(bytes(a ^ b for a, b in zip(key, signature)))


def end_point(connection):
    """tls-server-end-point of a connection whose certificate is signed with SHA-256."""
    return hashlib.sha256(connection.socket.getpeercert(binary_form=True)).digest()
