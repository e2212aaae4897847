#!/bin/sh
# Makes demo-disk.img.gz, the disk that `npm start` unpacks: an ext4 file system with a few files to look at.
# Needs e2fsprogs. The result is in the repository, so that a first start needs no tools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir -p "$tree/registers" "$tree/data"

cat > "$tree/README.txt" <<'TEXT'
Welcome to the disk of the ring3 demo.

Every byte of this file came to you through a simulated ATA controller: a driver written in TypeScript, running in
user space, selected the device, wrote sector count and address into the task file, wrote the command READ MULTIPLE,
waited for the interrupt, read the status register once, and read the words of the data register, 256 for each sector.

What you write here stays: the disk is the file .ring3/demo-disk.img in the checkout. Delete that file to start anew.
TEXT

cat > "$tree/registers/task-file.txt" <<'TEXT'
The command block of an ATA channel, as it lies at 0x1f0 in the demo:

  offset  read            write
  0       data (16 bit)   data (16 bit)
  1       error           features
  2       sector count    sector count
  3       LBA 7:0         LBA 7:0
  4       LBA 15:8        LBA 15:8
  5       LBA 23:16       LBA 23:16
  6       device          device
  7       status          command

and the control block at 0x3f6:

  offset  read              write
  0       alternate status  device control
TEXT

awk 'BEGIN { print "n,square,sine"; for (n = 0; n < 1000; n++) printf "%d,%d,%.6f\n", n, n * n, sin(n / 50) }' > "$tree/data/curve.csv"
printf 'sda is not the only disk in town\n' > "$tree/data/hello.txt"
find "$tree" -exec touch -h -d '2026-01-01T00:00:00Z' {} +

image=$work/demo-disk.img
truncate -s 16M "$image"
SOURCE_DATE_EPOCH=1767225600 mkfs.ext4 -q -L ring3-demo -O ^has_journal -m 0 -N 64 \
  -U 72696e67-3300-4d65-a06f-000000000001 -E hash_seed=72696e67-3300-4d65-a06f-000000000002,root_owner=0:0 -d "$tree" "$image"
e2fsck -fn "$image" > /dev/null
gzip -9nc "$image" > "$here/demo-disk.img.gz"
ls -l "$here/demo-disk.img.gz"
