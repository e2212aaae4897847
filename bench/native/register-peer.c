// The C side of the register benchmark (bench/mapped-registers.ts): the same accesses by volatile loops.
//   register-peer FILE         prints nanoseconds per read, write, block of 256 words and FIFO of 512 bytes
//   register-peer FILE read    prints nanoseconds per read of a device under emulation, where each takes a microsecond
// What counts is the fastest tenth of many short slices: the machine does other things too.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { SLICES = 400, ACCESSES = 20000, BLOCKS = 200, FEW = 1000 };

static uint32_t block[256], sink;
static uint16_t sector[256];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void reads(volatile uint32_t *r) {
  for (int i = 0; i < ACCESSES; i++) sink ^= r[2];
}
static void few_reads(volatile uint32_t *r) {
  for (int i = 0; i < FEW; i++) sink ^= r[2];
}
static void writes(volatile uint32_t *r) {
  for (int i = 0; i < ACCESSES; i++) r[2] = i;
}
static void blocks(volatile uint32_t *r) {
  for (int n = 0; n < BLOCKS; n++) {
    for (int i = 0; i < 256; i++) block[i] = r[i];
    __asm__ volatile("" : : "r"(block) : "memory");
  }
}
static void fifos(volatile uint32_t *r) {
  for (int n = 0; n < BLOCKS; n++) {
    for (int i = 0; i < 256; i++) sector[i] = ((volatile uint16_t *)r)[8];
    __asm__ volatile("" : : "r"(sector) : "memory");
  }
}

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

static double tenth(void (*work)(volatile uint32_t *), volatile uint32_t *r, int each) {
  static double times[SLICES];
  for (int i = 0; i < SLICES; i++) {
    double start = now();
    work(r);
    times[i] = (now() - start) / each;
  }
  qsort(times, SLICES, sizeof *times, ascending);
  return times[SLICES / 10];
}

int main(int argc, char **argv) {
  int fd = argc >= 2 ? open(argv[1], O_RDWR) : -1;
  volatile uint32_t *r = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (r == MAP_FAILED) return 1;
  if (argc > 2) {
    printf("{\"read\":%g}\n", tenth(few_reads, r, FEW));
    return 0;
  }
  printf("{\"read\":%g,\"write\":%g,\"block\":%g,\"fifo\":%g}\n", tenth(reads, r, ACCESSES), tenth(writes, r, ACCESSES),
         tenth(blocks, r, BLOCKS), tenth(fifos, r, BLOCKS));
  return 0;
}
