# SPDX-License-Identifier: LGPL-2.1-or-later
# Writes the files of the dashboard as the table `assets` of C (api/assets.h).
# usage: cmake -D SOURCE=DIRECTORY -D FILES=NAME;… -D OUTPUT=FILE.c -P embed.cmake
set(arrays "")
set(rows "")
set(number 0)
foreach(name IN LISTS FILES)
  file(READ ${SOURCE}/${name} bytes HEX)
  file(SHA256 ${SOURCE}/${name} hash)
  string(SUBSTRING ${hash} 0 16 tag)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${number}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\", \"\\\"${tag}\\\"\", file_${number}, sizeof(file_${number})},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"api/assets.h\"\n\n${arrays}\nconst struct asset assets[] = {\n${rows}    {NULL, NULL, NULL, 0},\n};\n")
