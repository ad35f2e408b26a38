#!/bin/sh
# Runs a Python test, or skips it (77) where ./dev test has not made its environment.
[ -x "$1" ] || { echo "no $1: run ./dev test, which makes it"; exit 77; }
exec "$@"
