#!/bin/sh
# SPDX-License-Identifier: MIT
# check_imports.sh LIBRARY: what the shared library needs from others.  It depends on libc, libm,
# libjpeg and libpng alone, and imports nothing that prints, ends the process or changes its state.
set -eu
library=$1
status=0

needed=$(objdump -p "$library" | awk '$1 == "NEEDED" { print $2 }' |
    grep -vE '^(libc|libm|libjpeg|libpng16|libz|libpthread|ld-linux[a-z0-9-]*)\.so' || true)
if [ -n "$needed" ]; then
    echo "depends on $needed"
    status=1
fi

# The fortified variants (__fprintf_chk) count as what they stand for; __stack_chk_fail is the
# compiler's.
forbidden='printf fprintf dprintf vprintf vfprintf vdprintf puts fputs putchar putc fputc fwrite
perror psignal stdout stderr stdin syslog exit _exit _Exit quick_exit abort __assert_fail atexit
on_exit signal sigaction sigprocmask raise kill alarm setitimer srand rand random srandom drand48
strtok setlocale uselocale setenv unsetenv putenv chdir fchdir umask setrlimit system popen fork
vfork execv execve execvp localtime gmtime asctime ctime tmpnam mktemp getopt getopt_long exp expf
log logf pow powf sin sinf cos cosf tan tanf tanh tanhf expm1 log1p'
imports=$(nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }')
for name in $forbidden; do
    found=$(echo "$imports" | grep -xE "$name|__${name}_chk" || true)
    if [ -n "$found" ]; then
        echo "imports $found"
        status=1
    fi
done
[ $status -ne 0 ] || echo "$(echo "$imports" | wc -l) imports, all allowed"
exit $status
