#!/bin/sh
# PROGRAM [ARGUMENTS...]: the tests of a GoogleTest program, shared by one process per processor, four at most. Passes when all pass.
shards=$(nproc)
[ "$shards" -le 4 ] || shards=4
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
trap 'kill $running 2>/dev/null; exit 130' INT TERM
running='' index=0
while [ "$index" -lt "$shards" ]; do
  GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$index "$@" > "$logs/$index" 2>&1 &
  running="$running $!" index=$((index + 1))
done
status=0
for process in $running; do wait "$process" || status=1; done
cat "$logs"/*
exit $status
