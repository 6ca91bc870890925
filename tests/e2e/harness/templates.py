# SPDX-License-Identifier: LGPL-2.1-or-later
"""Templates from which machines are made, and the storage pool in which that is done."""

import re

from harness.domain import disk_xml, metadata_xml
from harness.host import LibvirtError

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}


class Room:
    """A host with a storage pool, a base image in it, and the directory of templates."""

    def __init__(self, host, directory):
        self.host = host
        self.directory = directory
        self.volumes = host.home / "volumes"
        self.volumes.mkdir(exist_ok=True)
        directory.mkdir()
        host.virsh("pool-define-as", "volumes", "dir", "--target", self.volumes)
        host.virsh("pool-start", "volumes")

    def close(self):
        for pool in self.host.virsh("pool-list", "--name").split():
            self.host.virsh("pool-destroy", pool)
        self.host.virsh("pool-undefine", "volumes")
        for file in self.volumes.iterdir():
            file.unlink()

    def add(self, name, resources=WEB, maximum=1, seed=False, terms=""):
        """A template, and its base image, which is that of a machine which is removed again."""
        self.host.define(name, resources=resources)
        text = self.host.virsh("dumpxml", name, "--inactive")
        base = self.base(name)
        self.host.run_inside("qemu-img", "convert", "-q", "-O", "qcow2", self.host.image(name), base)
        self.host.virsh("undefine", name)
        self.host.virsh("pool-refresh", "volumes")
        text = re.sub(r"<serial.*?</serial>|<console.*?</console>|<uuid>.*?</uuid>", "", text, flags=re.DOTALL)
        text = re.sub(r"<disk .*</disk>", disk_xml(base).replace("'raw'", "'qcow2'"), text, flags=re.DOTALL)
        text = re.sub(r"<understudy:machine.*</understudy:machine>",
                      metadata_xml(resources).replace("</understudy:machine>",
                                                      f"<understudy:template max='{maximum}' {terms}/></understudy:machine>"),
                      text, flags=re.DOTALL)
        (self.directory / f"{name}.xml").write_text(text)
        if seed:
            (self.directory / f"{name}.user-data").write_text("#cloud-config\nhostname: ${UNDERSTUDY_SERVICE}\n")
        return base

    def base(self, name):
        return self.volumes / f"{name}.qcow2"

    def files(self):
        return {file.name for file in self.volumes.iterdir()}

    def made(self):
        """What was made and is there, by name."""
        return {name for name in self.host.virsh("list", "--all", "--name").split() if self._is_made(name)}

    def paused(self):
        """Of these, those that are kept warm."""
        return {name for name in self.made() if self._state(name) == ("paused", "user")}

    def _state(self, name):
        try:
            return self.host.state(name)
        except LibvirtError:  # it is gone meanwhile
            return None

    def _is_made(self, name):
        try:
            return "<understudy:made" in self.host.virsh("dumpxml", name)
        except LibvirtError:  # it is gone meanwhile
            return False
