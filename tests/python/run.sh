#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PYTHON SCRIPT ARGUMENT...: runs a script of this folder.  Exit status 77, for skipped,
# where Python or a package is missing; a failure, where CNN_TEST_REQUIRE lists python, or for a
# script about PyTorch, which is large, torch.
set -u

needs=python
case $2 in *torch*.py) needs=torch ;; esac

status=77
if command -v "$1" >/dev/null; then
    status=0
    "$@" || status=$?
else
    echo "skipped: $1 is not there"
fi
case $status,${CNN_TEST_REQUIRE:-}, in
77*,$needs,*) echo "failed, as $needs is required"; status=1 ;;
esac
exit $status
