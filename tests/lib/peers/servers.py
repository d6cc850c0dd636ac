# SPDX-License-Identifier: GPL-2.0-or-later
"""Small servers: rsyslog, syslog-ng, echo by TCP and UDP, a port scanner."""

import contextlib
import pathlib
import re
import socket
import tempfile

from ..files import whole_lines
from ..net import Background
from ..waiting import wait_until

RSYSLOG_CONF = """\
global(workDirectory="{directory}" net.enableDNS="off" parser.escapeControlCharactersOnReceive="off"
       maxMessageSize="64k")
{secure}
module(load="{module}" {how})
template(name="as-received" type="string" string="%rawmsg%\\n")
template(name="parsed" type="string"
         string="%syslogfacility-text%|%syslogseverity-text%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%\\n")
ruleset(name="in") {{
    action(type="omfile" file="{directory}/raw.log" template="as-received" asyncWriting="off")
    action(type="omfile" file="{directory}/parsed.log" template="parsed" asyncWriting="off")
}}
input(type="{module}" address="{address}" port="{port}" ruleset="in" {room})
"""
RSYSLOG_TLS = """\
global(DefaultNetstreamDriver="{driver}" DefaultNetstreamDriverCAFile="{authority}"
       DefaultNetstreamDriverCertFile="{certificate}" DefaultNetstreamDriverKeyFile="{key}")
"""
RSYSLOG_TLS_MODULE = 'StreamDriver.Name="{driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="{mode}" {permitted}'
SYSLOG_NG_CONF = """\
@version: 4.2
options {{ keep-hostname(yes); use-dns(no); log-fifo-size(100000); }};
source in {{ syslog(ip("{address}") port({port}) transport("{transport}") log-msg-size(65536) flags(no-parse) {room} {secure}); }};
parser fields {{ syslog-parser(flags(syslog-protocol)); }};
destination raw {{ file("{directory}/raw.log" template("$MSG\\n")); }};
destination parsed {{ file("{directory}/parsed.log"
    template("$FACILITY|$LEVEL|$HOST|$PROGRAM|$PID|$MSGID|$SDATA|$MSG\\n")); }};
log {{ source(in); destination(raw); }};
log {{ source(in); parser(fields); destination(parsed); }};
"""
# Nobody sends a datagram again that the socket has no room for: by default there is some for 166 records. The gateway's own sender
# waits for that (test_audit.py), but not the one that lives through a day in seconds.
ROOM_BYTES = 4 << 20
SYSLOG_NG_TLS = 'tls(key-file("{key}") cert-file("{certificate}") peer-verify(optional-untrusted))'


class SyslogTls:
    """How an rsyslogd speaks TLS: by OpenSSL ("ossl") or GnuTLS ("gtls"), with which certificate.

    certificate: what Authority.issue() returned.   client: the name that a sender's certificate must have, if any.
    """

    def __init__(self, authority, certificate, driver="ossl", client=None):
        self.driver = driver
        self.files = {"authority": authority.certificate, "certificate": certificate.with_suffix(".crt"),
                      "key": certificate.with_suffix(".key")}
        self.module = RSYSLOG_TLS_MODULE.format(driver=driver, mode="x509/name" if client else "anon",
                                              permitted=f'PermittedPeer=["{client}"]' if client else "")

    def settings(self):
        return {"secure": RSYSLOG_TLS.format(driver=self.driver, **self.files), "how": self.module}


class Syslog:
    """rsyslogd that takes RFC 5424 over UDP, TCP or TLS into files: as received, and as it understood the fields.

    room_bytes: of its socket for datagrams; None: what the kernel gives by default.
    """

    def __init__(self, net, namespace, address, port=514, transport="udp", tls=None, room_bytes=ROOM_BYTES):
        self.room_bytes = room_bytes
        self.net, self.namespace, self.address, self.port, self.transport = net, namespace, address, port, transport
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="syslog-"))
        self.config = self.directory / "syslog.conf"
        self.process = None
        self.start(tls)

    def start(self, tls=None):
        """Start it, or start it again; with `tls` (SyslogTls) as it is from now on."""
        if tls or not self.config.exists():
            self.config.write_text(self.configuration(tls))
        # syslog-ng asks for the name of its host before anything else; there is nobody who knows.
        self.process = self.net.popen(self.namespace, *self.command(), env={"RES_OPTIONS": "timeout:1 attempts:1"})
        listening = f"[{self.address}]:{self.port} " if ":" in self.address else f"{self.address}:{self.port} "
        kind = "-Hlun" if self.transport == "udp" else "-Hltn"
        wait_until(lambda: listening in self.net.run(self.namespace, "ss", kind).stdout, "the syslog server to listen",
                   20)

    def configuration(self, tls):
        settings = tls.settings() if tls else {"secure": "", "how": ""}
        module = "imudp" if self.transport == "udp" else "imtcp"
        room = f'rcvbufSize="{self.room_bytes}"' if self.transport == "udp" and self.room_bytes else ""
        return RSYSLOG_CONF.format(directory=self.directory, address=self.address, port=self.port, module=module, room=room,
                                   **settings)

    def command(self):
        return "rsyslogd", "-n", "-f", self.config, "-i", self.directory / "pid"

    def stop(self):
        self.process.stop()

    def lines(self):
        """Messages as received, one each, each of them whole."""
        return whole_lines(self.directory / "raw.log")

    def parsed(self):
        """Messages as the server took them apart: facility|severity|host|app|procid|msgid|structured data|text. It writes those
        behind the received ones: as many as have been received by now are waited for."""
        received = len(self.lines())
        parsed = self.directory / "parsed.log"
        wait_until(lambda: len(whole_lines(parsed)) >= received, f"{received} messages to be taken apart")
        return whole_lines(parsed)

    def wait_line(self, *parts, seconds=10.0):
        """Wait for a message that has every one of `parts`; return it."""
        def found():
            return next((line for line in self.lines() if all(p in line for p in parts)), None)
        return wait_until(found, f"a syslog message with {parts}", seconds)


class SyslogNg(Syslog):
    """The same by syslog-ng."""

    def configuration(self, tls):
        return SYSLOG_NG_CONF.format(directory=self.directory, address=self.address, port=self.port, transport=self.transport,
                                     room=f"so-rcvbuf({self.room_bytes})" if self.transport == "udp" and self.room_bytes else "",
                                     secure=SYSLOG_NG_TLS.format(**tls.files) if tls else "")

    def command(self):
        return ("syslog-ng", "--foreground", "--no-caps", f"--cfgfile={self.config}", f"--pidfile={self.directory}/pid",
                f"--persist-file={self.directory}/persist", f"--control={self.directory}/control")


class EchoServer:
    """Answers with what it gets, by TCP and UDP on one port of a namespace, and remembers it."""

    def __init__(self, net, namespace, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.received = []      # ("tcp" | "udp", peer address, bytes)
        self.tcp = net.socket(namespace, family, socket.SOCK_STREAM, timeout=0.1)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.udp = net.socket(namespace, family, socket.SOCK_DGRAM, timeout=0.1)
        for one in (self.tcp, self.udp):
            one.bind((address, port))
        self.tcp.listen(64)
        self.parts = [Background(self._serve_tcp), Background(self._serve_udp)]
        net.on_close(self.stop)

    def _serve_tcp(self, stopping):
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                connection, peer = self.tcp.accept()
                self.parts.append(Background(self._echo, connection, peer))

    def _echo(self, stopping, connection, peer):
        connection.settimeout(0.1)
        with connection:
            while not stopping.is_set():
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    continue
                except OSError:
                    return
                if not data:
                    return
                self.received.append(("tcp", peer[0], data))
                with contextlib.suppress(OSError):
                    connection.sendall(data)

    def _serve_udp(self, stopping):
        while not stopping.is_set():
            with contextlib.suppress(OSError):
                data, peer = self.udp.recvfrom(65536)
                self.received.append(("udp", peer[0], data))
                self.udp.sendto(data, peer)

    def stop(self):
        for part in self.parts:
            part.stop()
        for one in (self.tcp, self.udp):
            one.close()


def nmap(net, namespace, host, *options, timeout=120):
    """Scan; return {(protocol, port): state} of what nmap lists, and its whole text."""
    family = ["-6"] if ":" in host else []
    text = net.run(namespace, "nmap", "-n", "-Pn", *family, *options, host, timeout=timeout).stdout
    ports = {(m[2], int(m[1])): m[3] for m in re.finditer(r"^(\d+)/(\w+) +(\S+)", text, re.MULTILINE)}
    return ports, text


def tcp_talk(net, namespace, host, port, data=b"hello", timeout=2.0, source=None):
    """Connect, send, and return what comes back; None where nothing is reached."""
    try:
        with net.connect(namespace, host, port, timeout, source) as connection:
            connection.sendall(data)
            return connection.recv(65536)
    except OSError:
        return None


def udp_talk(net, namespace, host, port, data=b"hello", timeout=1.0, source=None):
    """Send a datagram and return the answer; None where there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with net.socket(namespace, family, socket.SOCK_DGRAM, timeout=timeout) as one:
        if source:
            one.bind((source, 0))
        one.connect((host, port))
        try:
            one.send(data)
            return one.recv(65536)
        except OSError:
            return None


def ping(net, namespace, host, count=1, wait_s=1):
    """Whether an echo request from a namespace is answered."""
    return net.run(namespace, "ping", "-n", "-c", count, "-W", wait_s, host, check=False, timeout=30).returncode == 0

