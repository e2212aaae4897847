// The two C sides of the interrupt benchmark (bench/interrupt-latency.ts).
//   device IRQ ACK COUNT GAP_US   raises COUNT interrupts on the FIFO IRQ, each GAP_US after the last was handled, and
//                                 prints for each the nanoseconds until the handler ran and until fired$ delivered
//   handler IRQ ACK               the peer of ring3's handler: a loop around a blocking read()
// An interrupt is what a UIO device gives: 4 bytes with the count. An answer is two times of CLOCK_MONOTONIC.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int device(const char *irq, const char *ack, uint32_t count, long gap_us) {
  // Read-write: opening a FIFO for one direction waits for the other side.
  int out = open(irq, O_RDWR), in = open(ack, O_RDWR);
  if (out < 0 || in < 0) return 1;
  for (uint32_t i = 1; i <= count; i++) {
    uint64_t at[2], start;
    if (gap_us > 0) {
      struct timespec gap = {gap_us / 1000000, gap_us % 1000000 * 1000};
      nanosleep(&gap, NULL);
    }
    start = now();
    if (write(out, &i, 4) != 4 || read(in, at, sizeof at) != sizeof at) return 1;
    printf("%lu %lu\n", (unsigned long)(at[0] - start), (unsigned long)(at[1] - start));
  }
  return 0;
}

static int handler(const char *irq, const char *ack) {
  int in = open(irq, O_RDWR), out = open(ack, O_RDWR);
  if (in < 0 || out < 0) return 1;
  puts("ready");
  fflush(stdout);
  for (;;) {
    uint32_t count;
    uint64_t at[2];
    if (read(in, &count, 4) != 4) return 1;
    at[0] = at[1] = now();
    if (write(out, at, sizeof at) != sizeof at) return 1;
  }
}

int main(int argc, char **argv) {
  if (argc == 6 && strcmp(argv[1], "device") == 0)
    return device(argv[2], argv[3], (uint32_t)atoi(argv[4]), atol(argv[5]));
  if (argc == 4 && strcmp(argv[1], "handler") == 0) return handler(argv[2], argv[3]);
  fprintf(stderr, "usage: device IRQ ACK COUNT GAP_US | handler IRQ ACK\n");
  return 64;
}
