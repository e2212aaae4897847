import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import type { SerialCallOptions, SerialChange } from '../serial-port.ts';
import { runCase } from './conformance.ts';
import { ManualClock } from './manual-clock.ts';
import { MemorySerialPort } from './memory-serial.ts';
import { SERIAL_PORT_CASES, serialPortConformance } from './serial-port-conformance.ts';
import type { SerialPortHarness } from './serial-port-harness.ts';

type Make = (clock: Clock) => MemorySerialPort;

function harnessOf(make: Make): SerialPortHarness {
  return {
    name: 'a cable in memory',
    start: async () => {
      const clock = new ManualClock();
      const [port, peer] = [make(clock), new MemorySerialPort(clock, 1024)];
      port.connect(peer);
      peer.connect(port);
      const close = async () => port.close();
      const pass = (us: number) => clock.advance(us);
      return { port, peer, settle: clock.settle.bind(clock), pass, close, stop: async () => {} };
    },
  };
}

serialPortConformance(harnessOf((clock) => new MemorySerialPort(clock, 1024)));

class Doubles extends MemorySerialPort {
  override write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    return super.write(Uint8Array.of(...from, from.at(-1) ?? 0), options);
  }
}
class SwapsWrites extends MemorySerialPort {
  override async write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    if (from.length % 2 === 0) await Promise.resolve();
    return super.write(from, options);
  }
}
class LosesTheRest extends MemorySerialPort {
  override async read(into: Uint8Array, options?: SerialCallOptions): Promise<number> {
    if (into.length === 0) throw new RangeError('no room');
    const all = new Uint8Array(64);
    const count = await super.read(all, options);
    into.set(all.subarray(0, Math.min(count, into.length)));
    return Math.min(count, into.length);
  }
}
class KeepsTheBuffer extends MemorySerialPort {
  override async write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    void super.write(from, options);
  }
}
class AcceptsEverything extends MemorySerialPort {
  override async set(change: SerialChange): Promise<void> {
    await super.set(change).catch(() => {});
  }
}
class ForgetsOutputs extends MemorySerialPort {
  override set({ dtr: _dtr, ...change }: SerialChange): Promise<void> {
    return super.set(change);
  }
}
class IgnoresAborts extends MemorySerialPort {
  override read(into: Uint8Array): Promise<number> {
    return super.read(into);
  }
}
class NoFlowControl extends MemorySerialPort {
  override set({ flowControl: _flowControl, ...change }: SerialChange): Promise<void> {
    return super.set(change);
  }
}
class CountsNothing extends MemorySerialPort {
  override fail(): void {}
}
class NeverCloses extends MemorySerialPort {
  override close(): void {}
}
class DrainsAtOnce extends MemorySerialPort {
  override async drain(): Promise<void> {}
}

describe('the serial port suite finds', () => {
  it.each([
    ['characters that come twice', Doubles, 'sends writes that overlap'],
    ['writes that overtake each other', SwapsWrites, 'sends writes that overlap'],
    ['bytes that a read had no room for and lost', LosesTheRest, 'lets a read wait'],
    ['a write that is not done with its buffer', KeepsTheBuffer, 'takes buffers at odd places'],
    ['settings that cannot be', AcceptsEverything, 'refuses a read without room'],
    ['outputs that stay', ForgetsOutputs, 'shows what the other end drives'],
    ['a read that cannot be aborted', IgnoresAborts, 'takes nothing for a read'],
    ['no flow control', NoFlowControl, 'loses nothing with rts-cts'],
    ['errors that nobody counts', CountsNothing, 'counts characters with wrong parity'],
    ['a port that does not end', NeverCloses, 'answers everything with DeviceError closed'],
    ['a drain that is none', DrainsAtOnce, 'drains: everything has left'],
  ])('%s', async (_what, Broken, title) => {
    const harness = harnessOf((clock) => new Broken(clock, 1024));
    const found = SERIAL_PORT_CASES.find((one) => one.title.startsWith(title));
    if (found === undefined) expect.fail(`there is no case ${title}`);
    await expect(runCase(harness, found)).rejects.toThrow();
  });
});
