# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domain XML for the test guests, as plain text. Knows no libvirt connection."""

import uuid
from xml.sax.saxutils import escape, quoteattr

METADATA_URI = "urn:understudy:domain:1.0"


def uuid_of(name):
    """The same name always has the same UUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{METADATA_URI}/{name}"))


def metadata_xml(resources, role=None, priority=None):
    """understudy's metadata element. resources: {"database": "mysql", "webserver": ["nginx", "apache"]}."""
    attributes = "".join(f" {key}={quoteattr(str(value))}" for key, value in (("role", role), ("priority", priority))
                         if value is not None)
    elements = "".join(
        f"<understudy:resource kind={quoteattr(kind)}>{value}</understudy:resource>"
        for kind, values in resources.items()
        for value in ([values] if isinstance(values, str) else values)
    )
    return f'<understudy:machine xmlns:understudy="{METADATA_URI}"{attributes}>{elements}</understudy:machine>'


def domain_xml(name, *, boot, devices="", metadata="", on_crash="destroy", memory_mib=32, vcpus=1, kind="qemu",
               takes_memory_at_once=False):
    """boot: the elements that belong into <os>."""
    backing = "<memoryBacking><allocation mode='immediate'/></memoryBacking>" if takes_memory_at_once else ""
    return f"""<domain type='{kind}'>
  <name>{escape(name)}</name>
  <uuid>{uuid_of(name)}</uuid>
  <metadata>{metadata}</metadata>
  <memory unit='MiB'>{memory_mib}</memory>
  {backing}
  <vcpu>{vcpus}</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type>{boot}</os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>{on_crash}</on_crash>
  <devices>
    {devices}
    <panic model='isa'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def serial_xml(console_path):
    return f"<serial type='unix'><source mode='connect' path='{console_path}'/></serial>"


def disk_xml(image, target="hda"):
    bus = {"hd": "ide", "vd": "virtio"}[target[:2]]
    return (f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{image}'/>"
            f"<target dev='{target}' bus='{bus}'/></disk>")


def agent_xml():
    """The channel of the QEMU guest agent."""
    return "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
