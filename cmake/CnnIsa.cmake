# SPDX-License-Identifier: MIT
# Instruction sets: the suffix of a kernel's file name decides its compiler flags, here and nowhere
# else.  Files for another architecture are left out of the build.

set(CNN_ISA_avx2_FLAGS -mavx2 -mfma)
set(CNN_ISA_avx512_FLAGS -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma)
# The tiles fill every register: gcc's first scheduler, which moves loads ahead, would keep sums of
# the innermost loop in memory (tests/bench/neon_ports.sh).
set(CNN_ISA_neon_FLAGS $<$<C_COMPILER_ID:GNU>:-fno-schedule-insns>)

# The suffixes that this build's architecture has.
set(CNN_ISAS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(CNN_ISAS avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(CNN_ISAS neon)
endif()

# Takes the files of other architectures out of the list named `sources` and gives the rest their
# flags.  The suffixes met are kept in the global property CNN_ISAS_BUILT, for the tests.
function(cnn_set_isa_flags sources)
    set(kept)
    set(built)
    foreach(source IN LISTS ${sources})
        if(NOT source MATCHES "_(avx2|avx512|neon)\\.c$")
            list(APPEND kept ${source})
        elseif(CMAKE_MATCH_1 IN_LIST CNN_ISAS)
            list(APPEND kept ${source})
            set_source_files_properties(${source} PROPERTIES
                COMPILE_OPTIONS "${CNN_ISA_${CMAKE_MATCH_1}_FLAGS}")
            list(APPEND built ${CMAKE_MATCH_1})
        endif()
    endforeach()
    list(REMOVE_DUPLICATES built)
    set_property(GLOBAL PROPERTY CNN_ISAS_BUILT ${built})
    set(${sources} ${kept} PARENT_SCOPE)
endfunction()
