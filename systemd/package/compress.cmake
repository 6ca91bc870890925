# SPDX-License-Identifier: LGPL-2.1-or-later
# Run by cpack before it packs: distributions want manual pages and the changelog and
# the news compressed, and the same from every
# build.
find_program(GZIP gzip REQUIRED)
file(GLOB_RECURSE pages "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*.[1-8]")
list(FILTER pages INCLUDE REGEX "/man/man[1-8]/")
file(GLOB_RECURSE changelog "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/changelog"
     "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/NEWS.Debian")
list(APPEND pages ${changelog})
if(pages)
  execute_process(COMMAND ${GZIP} -9nf ${pages} COMMAND_ERROR_IS_FATAL ANY)
endif()
