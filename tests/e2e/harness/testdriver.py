# SPDX-License-Identifier: LGPL-2.1-or-later
"""
libvirt's test driver: machines that exist only in memory, in the process that opened the connection. Needs no
privileges and no libvirtd. What happens to such a machine can only be caused through the daemon itself: a drill.
"""

from .domain import domain_xml, metadata_xml

NAMESPACE = "http://libvirt.org/schemas/domain/test/1.0"
RUNNING, SHUT_OFF = 1, 5

# Table 2 of the paper.
CASE_STUDY = {
    "VM-001": {"language": "nodejs", "database": "mysql", "webserver": "nginx"},
    "VM-002": {"language": "nodejs", "database": "postgresql", "webserver": "apache"},
    "VM-003": {"database": "postgresql"},
    "VM-004": {"webserver": "nginx"},
    "VM-005": {"language": "nodejs", "database": ["mysql", "postgresql"], "webserver": ["nginx", "apache"]},
}

CASE_STUDY_RULES = {"threshold": 0.5, "weights": {
    "environment": {}, "resource": {"language": 0.3, "database": 0.2, "webserver": 0.1}}}


def machine_xml(name, resources, running=False, role=None, **options):
    state = f'<test:runstate xmlns:test="{NAMESPACE}">{RUNNING if running else SHUT_OFF}</test:runstate>'
    xml = domain_xml(name, boot="", kind="test", metadata=metadata_xml(resources, role), **options)
    return xml.replace("</domain>", f"{state}</domain>")


def write_node(path, machines, running=()):
    """Writes a node with these machines (name to resources) and returns its URI."""
    domains = "".join(machine_xml(name, resources, name in running) for name, resources in machines.items())
    path.write_text(f"<node>{domains}</node>")
    return f"test://{path}"
