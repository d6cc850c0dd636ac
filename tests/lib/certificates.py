# SPDX-License-Identifier: GPL-2.0-or-later
"""An authority made for one test, and certificates that it signs: good ones, and each kind that must be refused."""

import ipaddress
import pathlib
import tempfile

from .net import run


def _is_address(host):
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


class Authority:
    """`pem` is its own certificate; issue() makes a file with a certificate, its key and nothing else."""

    def __init__(self, name="Test Authority"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="authority-"))
        self.directory.chmod(0o755)
        self.key, self.certificate = self.directory / "ca.key", self.directory / "ca.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.key, "-out", self.certificate, "-days", "365", "-subj", f"/CN={name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.count = 0

    @property
    def pem(self):
        return self.certificate.read_text()

    def issue(self, host, not_before="20200101000000Z", not_after="20400101000000Z", key="ec", digest="sha256",
              revoked_at=None):
        """Return a path: a key, then its certificate for `host` (the order that Postfix wants).

        key: "ec" (P-256) or a number of RSA bits; revoked_at: where it says that a list of revoked ones lies.
        """
        self.count += 1
        base = self.directory / f"leaf{self.count}"
        kind = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else [f"rsa:{key}"]
        run("openssl", "req", "-newkey", *kind, "-nodes", "-keyout", f"{base}.key", "-out", f"{base}.csr",
            "-subj", f"/CN={host}", "-addext", f"subjectAltName={'IP' if _is_address(host) else 'DNS'}:{host}",
            *(["-addext", f"crlDistributionPoints=URI:{revoked_at}"] if revoked_at else []))
        run("openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey", self.key,
            "-copy_extensions", "copyall", f"-{digest}", "-not_before", not_before, "-not_after", not_after,
            "-out", f"{base}.crt")
        path = pathlib.Path(f"{base}.pem")
        path.write_text(pathlib.Path(f"{base}.key").read_text() + pathlib.Path(f"{base}.crt").read_text())
        return path


def put_slot(state, name, text, kind="certificate"):
    """Fill a slot before the gateway starts, as an administrator of a host would: kind certificate, authority or password."""
    keys = pathlib.Path(state) / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    path = keys / (f"{name}.password" if kind == "password" else f"{name}.{kind}.pem")
    path.write_text(text)
    path.chmod(0o644)
