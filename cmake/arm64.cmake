# SPDX-License-Identifier: MIT
# Toolchain file: cross-compiling for 64-bit ARM with Debian's gcc, programs run by qemu-aarch64.
# CNN_ARM64_SYSROOT is a folder with Debian's arm64 packages of libjpeg, libpng, zlib and Check
# unpacked into it; tests/run.sh makes one.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

set(CNN_ARM64_SYSROOT "" CACHE PATH "Folder with unpacked arm64 packages")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CNN_ARM64_SYSROOT)

set(CMAKE_FIND_ROOT_PATH ${CNN_ARM64_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Debian keeps what differs between architectures in folders of their names.
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_C_FLAGS_INIT "-idirafter ${CNN_ARM64_SYSROOT}/usr/include/aarch64-linux-gnu")
set(library_path ${CNN_ARM64_SYSROOT}/usr/lib/aarch64-linux-gnu)
string(APPEND library_path :${CNN_ARM64_SYSROOT}/lib/aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT -Wl,-rpath-link,${library_path})
set(CMAKE_SHARED_LINKER_FLAGS_INIT ${CMAKE_EXE_LINKER_FLAGS_INIT})

# pkg-config looks into the sysroot alone.
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_LIBDIR} ${CNN_ARM64_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CNN_ARM64_SYSROOT})

# The C library comes from the cross compiler's own folder, the rest from the sysroot.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu
    -E LD_LIBRARY_PATH=${library_path})
