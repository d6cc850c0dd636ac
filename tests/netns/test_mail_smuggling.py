# SPDX-License-Identifier: GPL-2.0-or-later
"""No ending but CRLF.CRLF ends the data of a mail, on either side of the running gateway (M6).

For every sequence of 1 to SMUGGLING octets out of CR, LF, dot and NUL, a peer sends

    a message, "end", the sequence, "tail", and then, pipelined, what a smuggler wants to be read as a second mail

in two segments that cut the sequence. The first mail arrives or is refused, which follows from the definition alone (see refused); the
second never does: where the sequence is a real end, its DATA was not waited for. SMUGGLING=6 tries all
5,460 sequences; `make check` tries those of up to 4 and a fixed sample of the longer ones. tests/unit/test_smtp_data.c
tries all of them in all segmentations against the reader itself, and tests/prove/smtp_data.c proves it for any data.
"""

import itertools
import os
import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.mail_peers import Dialogue, OrderSink

TO = "hanako@city.example.lg.jp"
ALPHABET = b"\r\n.\0"
WHOLE = int(os.environ.get("SMUGGLING") or 4)   # every sequence up to this length
SAMPLE = 0 if WHOLE >= 6 else 60                # and so many of the longer ones
AT_ONCE = 6
HEAD = "From: <taro@example.jp>\r\nTo: <hanako@city.example.lg.jp>\r\nSubject: carrier-{0}\r\n\r\nend"
SMUGGLED = ("MAIL FROM:<evil@example.jp>\r\nRCPT TO:<" + TO + ">\r\nDATA\r\nSubject: smuggled-{0}\r\n\r\nx\r\n.\r\n")


def sequences():
    every = [bytes(s) for n in range(1, WHOLE + 1) for s in itertools.product(ALPHABET, repeat=n)]
    rng = random.Random(4)
    longer = [bytes(rng.choice(ALPHABET) for _ in range(rng.randint(WHOLE + 1, 6))) for _ in range(SAMPLE)]
    # The endings that other servers have taken for an end, whatever the sample is.
    known = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n\0.\r\n"[:6], b"\r\n.\r\n", b"\r\r\n.\r", b"\n\r\n.\r\n"[:6]]
    return list(dict.fromkeys([*every, *longer, *known]))


def has_bare(data):
    text = data.replace(b"\r\n", b"")
    return any(octet in text for octet in b"\r\n\0")


def refused(sequence):
    """Whether the data, up to its end by the definition, holds a line end that is none; said without any states."""
    data = HEAD.encode() + sequence + b"tail\r\n" + SMUGGLED.encode()
    return has_bare(data[:data.index(b"\r\n.\r\n") + 5])


def attempt(net, zone, number, sequence):
    """Send it; return what was answered to the data."""
    head, tail = HEAD.format(number).encode(), b"tail\r\n" + SMUGGLED.format(number).encode()
    cut = number % (len(sequence) + 1)
    with Dialogue(net, zone.namespace, zone.gateway4) as peer:
        peer.open_data(recipients=(TO,))
        for segment in (head + sequence[:cut], sequence[cut:] + tail):
            peer.send(segment)
        first = peer.reply()
        if first.startswith("250"):
            peer.send(b"QUIT\r\n")
            while peer.reply()[:3] not in ("221", ""):  # replies to what was pipelined behind a real end
                pass
        else:
            assert peer.ended(), sequence  # nothing behind it was read as a command
    return first


def subjects(message):
    """The Subject of a delivered message's header, without what its text says."""
    return re.search(rb"^Subject: ([^\r\n]*)", message.partition(b"\r\n\r\n")[0], re.MULTILINE).group(1).decode()


@pytest.mark.limit(60 + 60 * max(0, WHOLE - 4) ** 4)
def test_mail_data_ends_only_at_crlf_dot_crlf_whatever_is_sent(topology, net, make_gateway):
    internet, lgwan = topology.zones["internet"], topology.zones["lgwan"]
    sink = OrderSink(net, lgwan.namespace, lgwan.peer4)
    make_gateway(f"mail inbound {{ from internet; to lgwan; listen 25; domain city.example.lg.jp; next-hop {lgwan.peer4}; }}")
    wanted, tried = [], sequences()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda job: attempt(net, internet, *job), enumerate(tried)))
    for number, (sequence, answer) in enumerate(zip(tried, answers)):
        assert answer.startswith("550 5.5.2" if refused(sequence) else "250"), (sequence, answer)
        if answer.startswith("250"):
            wanted.append(f"carrier-{number}")
    got = sink.messages()
    assert sorted(subjects(m) for m in got) == sorted(wanted)
    # The next hop's side: what it was sent holds no line end but CRLF, so that no reader of any kind finds another end in it.
    for message in got:
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", message)
        assert not re.search(rb"\r\n\.\r\n.", message)
    assert len(tried) > 100 and len(wanted) > 10
