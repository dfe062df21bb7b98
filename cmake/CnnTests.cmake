# SPDX-License-Identifier: MIT
# cnn_add_test(NAME [ONCE|WHOLE] [LABELS label...] [TIMEOUT seconds])
#
# Builds the Check program tests/test_NAME.c against the static library, whose internal symbols it
# can reach, and runs it once per CPU level that has kernels as the test NAME/LEVEL; with ONCE, for
# what does not depend on the level, as NAME alone.  Levels that the machine lacks are reported as
# skipped, by tests/support/level.c.  With WHOLE sanitizers see it once, at the machine's best
# level: for what is long and made of parts whose own tests they see at every level.

get_property(CNN_TEST_LEVELS GLOBAL PROPERTY CNN_ISAS_BUILT)
list(PREPEND CNN_TEST_LEVELS generic)

# Emulated and instrumented programs are slower.
set(CNN_TEST_SLOWNESS 1)
if(CNN_SANITIZE)
    set(CNN_TEST_SLOWNESS 5)
elseif(CMAKE_CROSSCOMPILING)
    set(CNN_TEST_SLOWNESS 20)
    set(CNN_TEST_EMULATED CNN_TEST_EMULATED=1)
endif()

# Real pictures, not part of the repository: CNN_TEST_DATA, or what lies beside the checkout.
set(CNN_TEST_DATA "${PROJECT_SOURCE_DIR}/../shared/data" CACHE PATH "Real pictures for the tests")

set(CNN_TEST_ENVIRONMENT
    CNN_TEST_DATA=${CNN_TEST_DATA}
    ${CNN_TEST_EMULATED}
    CNN_TEST_FIXTURES=${PROJECT_SOURCE_DIR}/tests/fixtures
    CK_DEFAULT_TIMEOUT=60 # seconds for one test: what hangs is found, a busy machine is not blamed
    CK_TIMEOUT_MULTIPLIER=${CNN_TEST_SLOWNESS}
    ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=halt_on_error=1:die_after_fork=0)

function(cnn_add_test name)
    cmake_parse_arguments(arg "ONCE;WHOLE" "TIMEOUT" "LABELS" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    math(EXPR timeout "${arg_TIMEOUT} * ${CNN_TEST_SLOWNESS}")

    add_executable(test_${name} test_${name}.c $<TARGET_OBJECTS:cnn_test_support>)
    cnn_set_flags(test_${name})
    target_include_directories(test_${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(test_${name} PRIVATE cnn_static PkgConfig::CHECK Threads::Threads m)

    if(arg_ONCE OR (arg_WHOLE AND CNN_SANITIZE))
        cnn_add_test_run(${name} test_${name} ${timeout} "${arg_LABELS}" "")
    else()
        foreach(level IN LISTS CNN_TEST_LEVELS)
            cnn_add_test_run(${name}/${level} test_${name} ${timeout} "${arg_LABELS};${level}"
                CNN_CPU=${level})
        endforeach()
    endif()
endfunction()

function(cnn_add_test_run name program timeout labels environment)
    add_test(NAME ${name} COMMAND ${program})
    set_tests_properties(${name} PROPERTIES
        ENVIRONMENT "${CNN_TEST_ENVIRONMENT};${environment}"
        LABELS "${labels}"
        SKIP_RETURN_CODE 77
        TIMEOUT ${timeout})
endfunction()
