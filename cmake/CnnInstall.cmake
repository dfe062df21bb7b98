# SPDX-License-Identifier: MIT
# cmake --install: headers, both libraries, libcnn.pc, and a package for find_package(cnn).  Nothing
# installed names the folder it was installed to, so that the whole can be moved.

include(CMakePackageConfigHelpers)

set(CNN_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/cnn)

install(FILES ${PROJECT_SOURCE_DIR}/include/cnn.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/cnn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN *.h)

# One file of targets for each library: only the static one needs the others' packages to be found.
foreach(kind IN ITEMS shared static)
    install(TARGETS cnn_${kind} EXPORT cnn-${kind}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT cnn-${kind} NAMESPACE cnn:: DESTINATION ${CNN_PACKAGE_DIR})
endforeach()

configure_package_config_file(cmake/cnn-config.cmake.in ${PROJECT_BINARY_DIR}/cnn-config.cmake
    INSTALL_DESTINATION ${CNN_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may change the interface.
if(CNN_VERSION_MAJOR EQUAL 0)
    set(compatibility SameMinorVersion)
else()
    set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cnn-config-version.cmake
    COMPATIBILITY ${compatibility})
install(FILES ${PROJECT_BINARY_DIR}/cnn-config.cmake ${PROJECT_BINARY_DIR}/cnn-config-version.cmake
    DESTINATION ${CNN_PACKAGE_DIR})

# What a program that links libcnn.a needs besides: packages where they have a .pc file.
set(CNN_PC_REQUIRES_PRIVATE)
if(CNN_WITH_JPEG)
    list(APPEND CNN_PC_REQUIRES_PRIVATE libjpeg)
endif()
if(CNN_WITH_PNG)
    list(APPEND CNN_PC_REQUIRES_PRIVATE libpng)
endif()
list(JOIN CNN_PC_REQUIRES_PRIVATE ", " CNN_PC_REQUIRES_PRIVATE)
set(CNN_PC_LIBS_PRIVATE "${CMAKE_THREAD_LIBS_INIT} -lm")
file(RELATIVE_PATH CNN_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/libcnn.pc.in ${PROJECT_BINARY_DIR}/libcnn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/libcnn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
