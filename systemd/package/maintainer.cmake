# SPDX-License-Identifier: LGPL-2.1-or-later
# Read by cpack when it packs: the builder is the maintainer, named as for Debian's tools by DEBFULLNAME and DEBEMAIL.
# Without both, the package names its authors and no address.
set(CPACK_PACKAGE_CONTACT "The understudy authors")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${CPACK_PACKAGE_CONTACT}")
