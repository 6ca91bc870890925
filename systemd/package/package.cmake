# SPDX-License-Identifier: LGPL-2.1-or-later
# Packages: cpack -G DEB, cpack -G RPM, in the build directory. Knows nothing of how anything is built.
set(CPACK_PACKAGE_NAME understudy)
set(CPACK_PACKAGE_VENDOR "The understudy authors")
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/maintainer.cmake)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "starts the most similar standby when a virtual machine crashes")
set(CPACK_PACKAGE_DESCRIPTION
    "understudyd watches libvirt, and knows of each machine what it is and what
it offers. When one crashes, it starts the most similar machine that stands
by, and explains why it was that one. understudyctl shows what it sees,
rehearses crashes, and tells what happened.")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
# Files belong to root and directories are 0755, whatever the umask of who builds.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)

set(scripts ${CMAKE_CURRENT_LIST_DIR})
set(CPACK_PRE_BUILD_SCRIPTS ${scripts}/compress.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.52), systemd")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libvirt-daemon-system, dbus")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "curl, jq, openssh-client, libvirt-clients, socat")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${scripts}/conffiles ${scripts}/postinst ${scripts}/prerm ${scripts}/postrm)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_RPM_PACKAGE_LICENSE LGPL-2.1-or-later)
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_RPM_PACKAGE_REQUIRES "systemd")
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/understudy/understudy.yaml")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /etc /usr/lib /usr/lib/systemd /usr/lib/systemd/system /usr/lib/systemd/catalog /usr/lib/sysusers.d /usr/lib/tmpfiles.d
    /usr/sbin
    /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/zsh /usr/share/zsh/site-functions
    /usr/share/zsh/vendor-completions /usr/share/fish /usr/share/fish/vendor_completions.d
    /usr/share/man /usr/share/man/man1 /usr/share/man/man5
    /usr/share/man/man7 /usr/share/man/man8)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${scripts}/rpm-post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${scripts}/rpm-preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${scripts}/rpm-postun)
include(CPack)
