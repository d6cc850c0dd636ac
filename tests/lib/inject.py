# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a running process issue a system call of our choice: what code that an attacker controls would do."""

import ctypes
import os
import struct
import time

PTRACE_CONT, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_ATTACH, PTRACE_DETACH = 7, 12, 13, 16, 17
WALL = 0x40000000
SYSCALL = b"\x0f\x05"  # the instruction
NO_CALL = 2**64 - 1
# What the kernel returns where it will begin an interrupted wait again (include/linux/errno.h): nothing was done, nothing is lost.
WAITED = {2**64 - number for number in (512, 513, 514, 516)}
REGISTERS = 27          # struct user_regs_struct of x86_64
R10, R8, RAX, RDX, RSI, RDI, ORIG_RAX, RIP, RSP = 7, 9, 10, 12, 13, 14, 15, 16, 19
STACK = object()        # as an argument: the address of its stack, a few hundred bytes that can be read

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request, pid, data=None):
    if _libc.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace request {request}")


def _stop_in_syscall(pid):
    """Attach while the process waits in a system call; return its registers."""
    for _ in range(100):
        _ptrace(PTRACE_ATTACH, pid)
        os.waitpid(pid, WALL)
        buffer = ctypes.create_string_buffer(REGISTERS * 8)
        _ptrace(PTRACE_GETREGS, pid, buffer)
        registers = list(struct.unpack(f"{REGISTERS}Q", buffer.raw))
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(registers[RIP] - 2)
            if memory.read(2) == SYSCALL and registers[RAX] in WAITED:
                return registers
        _ptrace(PTRACE_DETACH, pid)
        time.sleep(0.01)
    raise AssertionError(f"process {pid} is never seen waiting in a system call")


def inject_syscall(pid, number, *arguments):
    """The process makes this system call next, in place of the one that it waits in, and then runs on as it may."""
    registers = _stop_in_syscall(pid)
    registers[RAX] = number
    registers[ORIG_RAX] = NO_CALL       # no restart of the interrupted call
    registers[RIP] -= 2                 # back onto its `syscall` instruction
    for slot, value in zip((RDI, RSI, RDX, R10, R8), arguments):
        registers[slot] = registers[RSP] if value is STACK else value % 2**64
    _ptrace(PTRACE_SETREGS, pid, struct.pack(f"{REGISTERS}Q", *registers))
    _ptrace(PTRACE_DETACH, pid)
