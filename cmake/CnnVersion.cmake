# SPDX-License-Identifier: MIT
# Reads CNN_VERSION (0.1.0) and CNN_ABI_VERSION (0) from include/cnn/version.h, their only source.

file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../include/cnn/version.h lines
    REGEX "^#define CNN_(VERSION_[A-Z]+|ABI_VERSION) +[0-9]+$")
foreach(line IN LISTS lines)
    string(REGEX REPLACE "^#define ([A-Z_]+) +([0-9]+)$" "\\1;\\2" pair "${line}")
    list(GET pair 0 name)
    list(GET pair 1 ${name})
endforeach()
set(CNN_VERSION ${CNN_VERSION_MAJOR}.${CNN_VERSION_MINOR}.${CNN_VERSION_PATCH})
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_LIST_DIR}/../include/cnn/version.h)
