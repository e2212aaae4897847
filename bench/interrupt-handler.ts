import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { UioBackend, type UioEvents } from '@ring3/backend-uio';
import { FakeMachine } from '@ring3/backend-uio/testing';
import { SILENT } from '@ring3/core';
import { watchReadable } from '@ring3/linux';

// interrupt-handler.ts idle|allocating IRQ ACK: the ring3 side of interrupt-latency.ts.

const [load, irq = '', ack = ''] = process.argv.slice(2);
const out = openSync(ack, constants.O_RDWR);
const nothing = openSync('/dev/null', 'w');

const machine = new FakeMachine();
process.on('SIGTERM', () => {
  machine.close();
  process.exit(0);
});
const board = machine.platform('1000.timer', { compatible: 'ring3,bench' });
machine.uio({ node: 'uio0', parent: board, name: 'bench' });
const backend = new UioBackend({ log: SILENT, roots: machine.roots, native: { openEvents: openFifo } });
const device = await backend.open({ select: { name: 'bench' } });
const [line] = device.description.interrupts;
if (line === undefined) throw new Error('the bench device has no interrupt');
const source = await device.openInterrupt(line);

const times = new BigUint64Array(2);
source.attach(() => {
  times[0] = process.hrtime.bigint();
  return 'handled';
});
source.fired$.subscribe(() => {
  times[1] = process.hrtime.bigint();
  writeSync(out, times);
});
source.enable();
process.stdout.write('ready\n');
if (load === 'allocating') allocate();

/** A node whose events come from a FIFO; masking it costs the system call that it costs on a real one. */
function openFifo(): UioEvents {
  const fd = openSync(irq, constants.O_RDWR | constants.O_NONBLOCK);
  const word = new Int32Array(1);
  const bytes = new Uint8Array(word.buffer);
  return {
    read: () => {
      try {
        readSync(fd, bytes, 0, 4, null);
      } catch {
        return undefined;
      }
      return word[0];
    },
    control: () => void writeSync(nothing, bytes, 0, 4, null),
    watch: (listener) => watchReadable(fd, listener),
    close: () => closeSync(fd),
  };
}

/** About 20 MB/s of small objects, of which 10 MB live for half a second. */
function allocate(): void {
  const kept: object[][] = [];
  setInterval(() => {
    kept.push(Array.from({ length: 200 }, (_, index) => ({ index, text: `value ${index}`, list: [index, index] })));
    if (kept.length > 500) kept.shift();
  }, 1);
}
