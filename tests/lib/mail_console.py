# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway's console says of mail, and the receipts that it keeps."""


def receipt_files(gateway):
    """Those that are stored, whole."""
    return sorted(gateway.state.glob("**/receipt-*.json"))


def ask(gateway, command):
    """What the console shows for one command."""
    console = gateway.open_console()
    console.run("terminal length 0")
    shown = console.run(command)
    console.close()
    return shown


def paste_mail(running, command, mail):
    """What `test mail` shows."""
    console = running.open_console()
    console.run("terminal length 0")
    console.send(command + "\r")
    console.expect("Ctrl-D")
    console.send(mail.decode().replace("\r\n", "\r") + "\x04")
    console.expect("lines, ")
    console.expect(console.PROMPT)
    shown = console.before
    console.close()
    return shown
