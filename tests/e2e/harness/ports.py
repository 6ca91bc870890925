# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP ports of the loopback interface for programs under test."""

import socket


def free_port():
    """One that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
