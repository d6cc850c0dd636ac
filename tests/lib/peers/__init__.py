# SPDX-License-Identifier: GPL-2.0-or-later
"""Real peers in the zones' namespaces."""

from .mail import Postfix, SmtpSink, submit, swaks
from .screen import Desktop, capture_screen, difference
from .servers import EchoServer, Syslog, SyslogNg, SyslogTls, nmap, ping, tcp_talk, udp_talk

__all__ = ["Desktop", "EchoServer", "Postfix", "SmtpSink", "Syslog", "SyslogNg", "SyslogTls", "capture_screen", "difference",
           "nmap", "ping", "submit", "swaks", "tcp_talk", "udp_talk"]
