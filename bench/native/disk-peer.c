// The C side of bench/vm-disk.ts: reads of 128 KiB from an IDE disk, at its ports, by polling, as a C program would.
//   disk-peer pio|dma COUNT CHANNEL BUS_MASTER_PORT    prints nanoseconds per read and a checksum
// By programmed I/O READ MULTIPLE moves 16 sectors at a time; by DMA the data pass through a huge page, as a process has to.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SECTORS = 256, PLACES = 500, BYTES = SECTORS * 512, BLOCK = 16 * 512, HUGE = 2 << 20 };
enum { BSY = 0x80, DF = 0x20, DRQ = 0x08, ERR = 0x01 };

static uint8_t data[BYTES];
static int command_block, control_block, bus_master;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void die(const char *why, int status) {
  fprintf(stderr, "disk-peer: %s, status %02x\n", why, status);
  exit(1);
}

// Waits for BSY=0 in AltStatus and acknowledges by reading Status.
static int ready(void) {
  while (inb(control_block) & BSY)
    ;
  int status = inb(command_block + 7);
  if (status & (ERR | DF)) die("the disk reports an error", status);
  return status;
}

static void task_file(uint32_t lba, int command) {
  outb(0, command_block + 1);
  outb(SECTORS & 0xff, command_block + 2);
  outb(lba, command_block + 3);
  outb(lba >> 8, command_block + 4);
  outb(lba >> 16, command_block + 5);
  outb(0xe0 | lba >> 24, command_block + 6);
  if (command) outb(command, command_block + 7);
}

static void pio(uint32_t lba) {
  task_file(lba, 0xc4);
  inb(control_block);
  for (int at = 0; at < BYTES; at += BLOCK) {
    if (!(ready() & DRQ)) die("no data", 0);
    insw(command_block, data + at, BLOCK / 2);
  }
  if (ready() & DRQ) die("data after the last block", 0);
}

static uint8_t *page;
static uint64_t physical;

// The last 4 KiB of the page are the table of descriptors.
static void allocate(void) {
  page = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
  if (page == MAP_FAILED) die("no huge page", 0);
  uint64_t entry = 0;
  int fd = open("/proc/self/pagemap", O_RDONLY);
  if (pread(fd, &entry, 8, (uintptr_t)page / 4096 * 8) != 8) die("no pagemap", 0);
  close(fd);
  physical = (entry & ((1ull << 55) - 1)) * 4096;
  uint32_t *table = (uint32_t *)(page + HUGE - 4096);
  for (int i = 0; i < 2; i++) {
    table[2 * i] = physical + i * 65536;
    table[2 * i + 1] = i == 1 ? 0x80000000 : 0;
  }
}

static void dma(uint32_t lba) {
  outl(physical + HUGE - 4096, bus_master + 4);
  outb(8, bus_master);
  outb(6, bus_master + 2);
  task_file(lba, 0xc8);
  inb(control_block);
  outb(9, bus_master);
  while (inb(control_block) & (BSY | DRQ))
    ;
  int state = inb(bus_master + 2);
  outb(8, bus_master);
  int status = ready();
  outb(6, bus_master + 2);
  if (state & 2) die("the bus master reports an error", status);
  memcpy(data, page, BYTES);
}

int main(int argc, char **argv) {
  if (argc != 5 || iopl(3)) die("usage: disk-peer pio|dma COUNT CHANNEL PORT, as root", 0);
  int count = atoi(argv[2]);
  int by_dma = strcmp(argv[1], "dma") == 0;
  int channel = atoi(argv[3]);
  command_block = channel ? 0x170 : 0x1f0;
  control_block = channel ? 0x376 : 0x3f6;
  bus_master = strtol(argv[4], NULL, 0) + 8 * channel;
  if (by_dma) allocate();
  (by_dma ? dma : pio)(0);
  uint32_t sum = 0;
  double start = now();
  for (int i = 0; i < count; i++) (by_dma ? dma : pio)(i % PLACES * SECTORS);
  double end = now();
  for (int i = 0; i < BYTES; i += 4) sum = sum * 31 + *(uint32_t *)(data + i);
  printf("{\"ns\":%.0f,\"sum\":%u}\n", (end - start) / count, sum);
  return 0;
}
