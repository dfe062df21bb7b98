# SPDX-License-Identifier: MIT
# How every file of the library, the tests and the examples is compiled and linked, apart from
# warnings (CnnWarnings.cmake) and instruction sets (CnnIsa.cmake).  All of it is private to our own
# targets: nothing leaks into a project that includes this one.

include(CheckCCompilerFlag)
check_c_compiler_flag(-fcf-protection CNN_HAVE_CF_PROTECTION)
check_c_compiler_flag(-fstack-clash-protection CNN_HAVE_STACK_CLASH_PROTECTION)

# -ffp-contract=off and no -ffast-math, ever: results are promised to the bit.
set(CNN_COMPILE_FLAGS -ffp-contract=off -fvisibility=hidden -fstack-protector-strong)
if(CNN_HAVE_CF_PROTECTION)
    list(APPEND CNN_COMPILE_FLAGS -fcf-protection)
endif()
if(CNN_HAVE_STACK_CLASH_PROTECTION)
    list(APPEND CNN_COMPILE_FLAGS -fstack-clash-protection)
endif()
if(CNN_SANITIZE)
    set(CNN_SANITIZE_FLAGS -fsanitize=${CNN_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    list(APPEND CNN_COMPILE_FLAGS ${CNN_SANITIZE_FLAGS} -DCNNI_SANITIZED)
else()
    # Fortified functions hide calls from the sanitizers.
    list(APPEND CNN_COMPILE_FLAGS
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
list(APPEND CNN_COMPILE_FLAGS $<$<CONFIG:Release>:-O2>)

set(CNN_LINK_FLAGS -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack ${CNN_SANITIZE_FLAGS})

function(cnn_set_flags target)
    target_compile_features(${target} PRIVATE c_std_11)
    set_target_properties(${target} PROPERTIES C_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE $<$<CONFIG:Debug>:CNNI_DEBUG>)
    target_compile_options(${target} PRIVATE ${CNN_COMPILE_FLAGS} ${CNN_WARNINGS})
    target_link_options(${target} PRIVATE ${CNN_LINK_FLAGS})
endfunction()
