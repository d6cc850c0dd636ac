# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail peers: Postfix with a queue and configuration of its own, smtp-sink, swaks."""

import os
import pathlib
import pwd
import re
import smtplib
import tempfile

from ..net import run
from ..waiting import wait_until

# No chroot: the queue lies in a scratch directory. The services that a relaying and delivering Postfix needs.
MASTER_CF = """\
smtp       inet  n - n -    -   smtpd
pickup     unix  n - n 60   1   pickup
cleanup    unix  n - n -    0   cleanup
qmgr       unix  n - n 300  1   qmgr
rewrite    unix  - - n -    -   trivial-rewrite
bounce     unix  - - n -    0   bounce
defer      unix  - - n -    0   bounce
trace      unix  - - n -    0   bounce
verify     unix  - - n -    1   verify
flush      unix  n - n 1000? 0  flush
showq      unix  n - n -    -   showq
proxymap   unix  - - n -    -   proxymap
smtp       unix  - - n -    -   smtp
relay      unix  - - n -    -   smtp
error      unix  - - n -    -   error
retry      unix  - - n -    -   error
discard    unix  - - n -    -   discard
virtual    unix  - n n -    -   virtual
lmtp       unix  - - n -    -   lmtp
anvil      unix  - - n -    1   anvil
scache     unix  - - n -    1   scache
tlsmgr     unix  - - n 1000? 1  tlsmgr
postlog    unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A Postfix in a namespace.

    relay: "[host]:port" where everything else than `domains` goes; None: nothing is relayed.
    domains: delivered here, every recipient into one Maildir; see messages().
    settings: further lines of main.cf as {name: value}.
    """

    def __init__(self, net, namespace, address, host_name, relay=None, domains=(), settings=None, port=25):
        self.net, self.namespace, self.address, self.port = net, namespace, address, port
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"postfix-{namespace}-"))
        os.chmod(self.directory, 0o755)
        self.config = self.directory / "etc"
        self.log_path = self.directory / "mail.log"
        self.box = self.directory / "box"
        self._write(host_name, relay, domains, settings or {})
        self.start()

    def _write(self, host_name, relay, domains, settings):
        user = pwd.getpwnam("postfix")
        for name in ("etc", "queue", "data", "box"):
            (self.directory / name).mkdir()
        os.chown(self.directory / "data", user.pw_uid, user.pw_gid)
        os.chown(self.box, user.pw_uid, user.pw_gid)
        (self.config / "all").write_text("/./ mail/\n")
        values = {
            "compatibility_level": "3.9",
            "queue_directory": self.directory / "queue", "data_directory": self.directory / "data",
            "command_directory": "/usr/sbin", "daemon_directory": "/usr/lib/postfix/sbin",
            "mail_owner": "postfix", "setgid_group": "postdrop",
            "maillog_file": self.log_path, "maillog_file_prefixes": "/tmp",
            "inet_interfaces": self.address, "inet_protocols": "ipv6" if ":" in self.address else "ipv4",
            "myhostname": host_name, "mydestination": "", "mynetworks": "0.0.0.0/0 [::]/0",
            "disable_dns_lookups": "yes", "smtp_host_lookup": "native", "smtpd_peername_lookup": "no",
            "relayhost": relay or "", "default_transport": "smtp" if relay else "error:no relay",
            "virtual_mailbox_domains": " ".join(domains), "virtual_mailbox_base": self.box,
            "virtual_mailbox_maps": f"regexp:{self.config}/all",
            "virtual_uid_maps": f"static:{user.pw_uid}", "virtual_gid_maps": f"static:{user.pw_gid}",
            "virtual_minimum_uid": "1", "virtual_mailbox_limit": "0", "smtputf8_enable": "no",
            "minimal_backoff_time": "2s", "maximal_backoff_time": "4s", "queue_run_delay": "2s",
            "smtpd_error_sleep_time": "0", "smtpd_client_connection_count_limit": "0",
            **settings,
        }
        (self.config / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in values.items()))
        service = MASTER_CF if self.port == 25 else MASTER_CF.replace("smtp       inet", f"{self.port} inet")
        (self.config / "master.cf").write_text(service)

    def start(self):
        done = self.net.run(self.namespace, "postfix", "-c", self.config, "start", timeout=30, check=False)
        assert done.returncode == 0, f"postfix does not start:\n{done.stdout}{done.stderr}{self.log()}"
        self.net.on_close(self.stop)
        self.net.wait_port(self.namespace, self.address, self.port)

    def stop(self):
        run("postfix", "-c", self.config, "stop", timeout=30, check=False)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def messages(self):
        """The messages delivered here, as bytes, oldest first."""
        files = sorted(self.box.glob("mail/new/*"), key=lambda f: (f.stat().st_mtime_ns, f.name))
        return [f.read_bytes() for f in files]

    def wait_messages(self, count=1, seconds=30.0):
        wait_until(lambda: len(self.messages()) >= count, f"{count} delivered messages", seconds, 0.1)
        return self.messages()

    def queued(self):
        """Queue ids that still wait here."""
        listing = self.net.run(self.namespace, "postqueue", "-c", self.config, "-j", timeout=30).stdout
        return re.findall(r'"queue_id": "([^"]+)"', listing)

    def wait_empty(self, seconds=30.0):
        """Wait until nothing waits here: the queue manager removes a mail some time after it was logged as sent.

        A mail on its way from one queue to another can be missed by a listing: look for what arrived first."""
        wait_until(lambda: not self.queued(), "an empty queue", seconds, 0.1)

    def wait_sent(self, count=1, seconds=30.0):
        """Wait until that many deliveries to other hosts are logged as status=sent."""
        def sent():
            return re.findall(r"postfix/smtp\[.*status=sent.*", self.log())
        wait_until(lambda: len(sent()) >= count, f"{count} mails sent", seconds, 0.1)
        return sent()

    def send(self, sender, recipients, message):
        """Hand a message (bytes, as it shall travel) to this Postfix by SMTP; return its (code, text)."""
        return submit(self.net, self.namespace, self.address, sender, recipients, message, self.port)


class SmtpSink:
    """Postfix' smtp-sink: takes every mail and, with `keep`, writes each to a file of its own."""

    def __init__(self, net, namespace, address, port=25, keep=True, options=()):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sink-"))
        os.chmod(self.directory, 0o777)
        dump = ["-d", f"{self.directory}/%M."] if keep else []
        self.process = net.popen(namespace, "smtp-sink", "-u", "nobody", *dump, *options, f"{address}:{port}", "200")
        net.wait_port(namespace, address, port)

    def files(self):
        return sorted(self.directory.iterdir())

    def stop(self):
        self.process.stop()


def submit(net, namespace, server, sender, recipients, message, port=25, timeout=60):
    """Send one message, byte for byte, in one SMTP session; return the reply to the final dot as (code, text).

    A refusal at an earlier command raises smtplib's exception.
    """
    with net.inside(namespace):
        session = smtplib.SMTP(server, port, local_hostname="sender.example", timeout=timeout)
    with session:
        session.ehlo_or_helo_if_needed()
        recipients = [recipients] if isinstance(recipients, str) else recipients
        for code, text in [session.mail(sender), *(session.rcpt(r) for r in recipients)]:
            if code not in (250, 251):
                raise smtplib.SMTPResponseException(code, text)
        return session.data(message)


def swaks(net, namespace, server, *options, port=25, check=True):
    """Run swaks against a server; return the CompletedProcess (its stdout is the whole dialogue)."""
    quick = {"RES_OPTIONS": "timeout:1 attempts:1"}  # it looks up its own host's name, and there is no name server
    return net.run(namespace, "swaks", "--server", server, "--port", port, *options, timeout=60, check=check, env=quick)
