# SPDX-License-Identifier: GPL-2.0-or-later
"""The harness of the netns and firmware tests: namespaces, the gateway under test, real peers."""
