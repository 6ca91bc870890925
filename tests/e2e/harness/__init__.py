# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine room for tests: real guests, a private libvirtd and the daemon under test."""
