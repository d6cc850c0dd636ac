# SPDX-License-Identifier: GPL-2.0-or-later
"""Virus scanners in a zone: a real clamd with signatures of our own, a real c-icap, and one that misbehaves as told."""

import hashlib
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def eicar():
    """The test file of the European Institute for Computer Antivirus Research, put together here so that no file holds it."""
    return b"".join([rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$", b"EICAR", b"-STANDARD-", b"ANTIVIRUS-TEST-FILE!", b"$H+H*"])


class Clamd:
    """clamd on TCP. Its signatures: the EICAR file by hash and by content, and the word that `marks` gives."""

    def __init__(self, net, namespace, address, port=3310, stream_max="25M"):
        self.net, self.namespace = net, namespace
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="clamd-"))
        database = self.directory / "db"
        database.mkdir()
        test = eicar()
        (database / "ours.hdb").write_text(f"{hashlib.md5(test).hexdigest()}:{len(test)}:Ours.Eicar.Hash\n")
        (database / "ours.ndb").write_text(f"Ours.Eicar.Content:0:*:{test.hex()}\n")
        self.config = self.directory / "clamd.conf"
        self.config.write_text(f"TCPSocket {port}\nTCPAddr {address}\nDatabaseDirectory {database}\nForeground yes\n"
                               f"StreamMaxLength {stream_max}\nTemporaryDirectory {self.directory}\nLogFile {self.directory}/log\n"
                               f"LogFileMaxSize 0\nUser root\nMaxThreads 4\n")
        self.address, self.port = address, port
        self.process = None
        self.start()

    def start(self):
        self.process = self.net.popen(self.namespace, "clamd", "-c", self.config)
        self.net.wait_port(self.namespace, self.address, self.port, 30)

    def stop(self):
        self.process.stop()


class CIcap:
    """c-icap with its echo service and, before @clamd, Debian's virus scanning service, for objects of at most @most octets."""

    def __init__(self, net, namespace, address, port=1344, clamd=None, most="5M"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="c-icap-"))
        self.directory.chmod(0o755)
        modules = next(p for p in pathlib.Path("/usr/lib").glob("*/c_icap") if p.is_dir())
        scanning = "" if clamd is None else (
            "Module common clamd_mod.so\n"
            f"clamd_mod.ClamdHost {clamd.address}\nclamd_mod.ClamdPort {clamd.port}\nService antivirus_module virus_scan.so\n"
            "ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple\nvirus_scan.DefaultEngine clamd\n"
            f"virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE DOCUMENT UNKNOWN\nvirus_scan.MaxObjectSize {most}\n")
        config = self.directory / "c-icap.conf"
        config.write_text(f"PidFile {self.directory}/pid\nCommandsSocket {self.directory}/ctl\nPort {address}:{port}\n"
                          f"StartServers 1\nMaxServers 2\nThreadsPerChild 5\nUser root\nGroup root\nTmpDir {self.directory}\n"
                          f"ModulesDir {modules}\nServicesDir {modules}\nMinSpareThreads 2\nMaxSpareThreads 10\n"
                          f"ServerLog {self.directory}/server.log\nAccessLog {self.directory}/access.log\n"
                          "Service echo srv_echo.so\nServerAdmin a@example.jp\nServerName icap.example.jp\n"
                          f"LoadMagicFile /etc/c-icap/c-icap.magic\nTemplateDir /usr/share/c_icap/templates/\n{scanning}")
        self.access_log = self.directory / "access.log"
        self.process = net.popen(namespace, "c-icap", "-N", "-D", "-f", config)
        net.wait_port(namespace, address, port, 30)

    def stop(self):
        self.process.stop()


class Stub:
    """lib/scanner_stub.py; `mode` can be changed while it runs."""

    def __init__(self, net, namespace, address, port, mode):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="scanner-stub-")) / "mode"
        self.mode = mode
        self.process = net.popen(namespace, sys.executable, "-B", HERE / "scanner_stub.py", address, port, self.path)
        self.process.wait_log("listening", 10)

    @property
    def mode(self):
        return self.path.read_text()

    @mode.setter
    def mode(self, mode):
        new = self.path.with_suffix(".new")
        new.write_text(mode)
        os.replace(new, self.path)

    def stop(self):
        self.process.stop()
