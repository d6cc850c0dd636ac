# SPDX-License-Identifier: GPL-2.0-or-later
"""A time server that misbehaves as told: `ntp_stub.py ADDRESS MODE-FILE`; the mode is read for each question (RFC 5905).

A number: the seconds that its time is ahead by. An address: the right time, answered from that address. A word of four
letters: the kiss of that code (RFC 5905 section 7.4).
"""

import ipaddress
import pathlib
import socket
import struct
import sys
import time

PORT = 123
QUESTION_BYTES = 48
EPOCH = 2208988800  # 1970 in NTP's count of seconds, modulo 2^32


def timestamp(seconds):
    whole = int(seconds // 1)
    return struct.pack("!II", (whole + EPOCH) & 0xFFFFFFFF, int((seconds - whole) * (1 << 32)))


def answer(question, now, stratum=1, reference=b"TEST", leap=0):
    head = struct.pack("!BBbb", leap << 6 | 4 << 3 | 4, stratum, question[2], -20)
    return head + struct.pack("!II", 0, 1 << 6) + reference + timestamp(now - 1) + question[40:48] + timestamp(now) * 2


def socket_at(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind((address, PORT))
    return made


def is_address(mode):
    try:
        return bool(ipaddress.ip_address(mode))
    except ValueError:
        return False


def main():
    own, others = socket_at(sys.argv[1]), {}
    mode_file = pathlib.Path(sys.argv[2])
    print("serves", flush=True)
    while True:
        question, peer = own.recvfrom(1024)
        mode = mode_file.read_text().strip()
        if len(question) < QUESTION_BYTES or question[0] & 7 != 3:
            continue
        if is_address(mode):
            if mode not in others:
                others[mode] = socket_at(mode)
            others[mode].sendto(answer(question, time.time()), peer)
        elif mode.isalpha():
            own.sendto(answer(question, time.time(), 0, mode.encode(), 3), peer)
        else:
            own.sendto(answer(question, time.time() + float(mode)), peer)


if __name__ == "__main__":
    main()
