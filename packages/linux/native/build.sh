#!/bin/sh
# Builds native/ports-x64.so, or what the first argument names. Needs gcc or clang for x86-64.
set -eu
here=$(dirname "$0")
exec "${CC:-gcc}" -O2 -shared -fPIC -ffreestanding -nostdlib -mgeneral-regs-only \
  -fno-stack-protector -fno-asynchronous-unwind-tables -fno-ident -fcf-protection=none -fvisibility=default \
  -Wall -Wextra -Werror \
  -Wl,--build-id=none -Wl,--hash-style=sysv -Wl,-z,noexecstack -Wl,-z,norelro -Wl,-z,max-page-size=4096 \
  -Wl,-z,noseparate-code -Wl,-s \
  -o "${1:-$here/ports-x64.so}" "$here/ports.c"
