# SPDX-License-Identifier: GPL-2.0-or-later
"""An authenticator app: RFC 6238 with Python's own hashes, nothing of the gateway's."""

import base64
import hashlib
import hmac
import struct
import time

STEP_S = 30


def code_at(secret, step):
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 10**6:06d}"


class Authenticator:
    """Gives each code once, as a person does who waits for the next where one was used."""

    def __init__(self, secret):
        self.secret, self.used = secret, 0

    def code(self):
        while self.used > time.time() // STEP_S:  # the gateway takes the step that follows now, not more
            time.sleep(0.5)
        self.used = max(int(time.time() // STEP_S), self.used + 1)
        return code_at(self.secret, self.used)
