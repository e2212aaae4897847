import { expect } from 'vitest';
import { isDeviceError } from '../device-error.ts';
import type { SerialChange } from '../serial-port.ts';
import { rejection, required } from './conformance.ts';
import type { SerialPortCase } from './serial-port-harness.ts';
import { expectSameBytes, readExactly, serialPattern, statusNow } from './serial-traffic.ts';

const LONG_BYTES = 8 * 1024;

/** Bytes go out and come in. */
export const SERIAL_DATA_CASES: readonly SerialPortCase[] = [
  {
    title: 'says what it is, the same before and after traffic',
    run: async ({ port, peer, settle }) => {
      const before = structuredClone(port.info);
      expect(before.fifoBytes).toBeGreaterThan(0);
      await settle(port.write(Uint8Array.of(1)));
      await settle(readExactly(peer, 1));
      expect(port.info).toEqual(before);
    },
  },
  {
    title: 'carries every value of a byte both ways',
    run: async ({ port, peer, settle }) => {
      const all = Uint8Array.from({ length: 256 }, (_, value) => value);
      const both = [port.write(all), peer.write(all), readExactly(port, 256), readExactly(peer, 256)] as const;
      const [, , received, sent] = await settle(Promise.all(both));
      expect([...received]).toEqual([...all]);
      expect([...sent]).toEqual([...all]);
    },
  },
  {
    title: 'carries long transfers both ways at once',
    run: async ({ port, peer, settle, longBytes = LONG_BYTES }) => {
      const [out, back] = [serialPattern(longBytes, 1), serialPattern(longBytes, 2)];
      const reads = [readExactly(peer, longBytes), readExactly(port, longBytes)] as const;
      const [sent, received] = await settle(Promise.all([...reads, port.write(out), peer.write(back)]));
      expectSameBytes(sent, out, 'sent');
      expectSameBytes(received, back, 'received');
    },
  },
  {
    title: 'sends writes that overlap in the order of the calls',
    run: async ({ port, peer, settle }) => {
      const pieces = Array.from({ length: 40 }, (_, index) => serialPattern(1 + (index % 7), index));
      const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
      const written = Promise.all(pieces.map((piece) => port.write(piece)));
      expectSameBytes(await settle(readExactly(peer, whole.length)), whole, 'sent');
      await settle(written);
    },
  },
  {
    title: 'lets a read wait for the first byte, and keeps what did not fit',
    run: async ({ port, peer, settle }) => {
      const into = new Uint8Array(3);
      const reading = port.read(into);
      await settle(peer.write(Uint8Array.of(1, 2, 3, 4, 5)));
      const count = await settle(reading);
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(3);
      const rest = await settle(readExactly(port, 5 - count));
      expect([...into.subarray(0, count), ...rest]).toEqual([1, 2, 3, 4, 5]);
    },
  },
  {
    title: 'serves reads that overlap in the order of the calls',
    run: async ({ port, peer, settle }) => {
      const reads = Array.from({ length: 3 }, () => new Uint8Array(1));
      const reading = Promise.all(reads.map((into) => port.read(into)));
      await settle(peer.write(Uint8Array.of(7, 8, 9)));
      expect(await settle(reading)).toEqual([1, 1, 1]);
      expect(reads.map(([byte]) => byte)).toEqual([7, 8, 9]);
    },
  },
  {
    title: 'takes buffers at odd places, fills nothing beside them, and is done with them when it says so',
    run: async ({ port, peer, settle }) => {
      const whole = serialPattern(40);
      const part = whole.subarray(3, 33);
      const expected = part.slice();
      await settle(port.write(part));
      part.fill(0xff);
      expectSameBytes(await settle(readExactly(peer, 30)), expected, 'sent');
      await settle(peer.write(Uint8Array.of(5)));
      const into = new Uint8Array(9).fill(0xee);
      await settle(port.read(into.subarray(4, 8)));
      expect([...into]).toEqual([0xee, 0xee, 0xee, 0xee, 5, 0xee, 0xee, 0xee, 0xee]);
    },
  },
  {
    title: 'drains: everything has left the port by then',
    run: async ({ port, peer, settle }) => {
      const data = serialPattern(100);
      let written = false;
      const writing = port.write(data).then(() => {
        written = true;
      });
      await settle(port.drain());
      expect(written, 'the write has ended before the drain').toBe(true);
      await settle(writing);
      expectSameBytes(await settle(readExactly(peer, 100)), data, 'sent');
      await settle(port.drain());
    },
  },
];

const REFUSED: readonly SerialChange[] = [
  { baudRate: 0 },
  { baudRate: Number.NaN },
  { dataBits: 9 } as unknown as SerialChange,
  { parity: 'some' } as unknown as SerialChange,
  { stopBits: 3 } as unknown as SerialChange,
  { flowControl: 'maybe' } as unknown as SerialChange,
  { dtr: 1 } as unknown as SerialChange,
  { colour: 'red' } as unknown as SerialChange,
];

/** Calls that cannot be, calls that end early, and the end. */
export const SERIAL_REFUSAL_CASES: readonly SerialPortCase[] = [
  {
    title: 'refuses a read without room and settings that cannot be with a RangeError, and changes nothing',
    run: async ({ port, peer, settle }) => {
      const before = await statusNow(port);
      expect(await settle(rejection(() => port.read(new Uint8Array(0))))).toBeInstanceOf(RangeError);
      for (const change of REFUSED) {
        const error = await settle(rejection(() => port.set(change)));
        expect(error, JSON.stringify(change)).toBeInstanceOf(RangeError);
        expect(String(error)).toContain(Object.keys(change)[0]);
      }
      expect(await statusNow(port)).toEqual(before);
      await settle(port.write(new Uint8Array(0)));
      await settle(peer.write(Uint8Array.of(3)));
      expect([...(await settle(readExactly(port, 1)))]).toEqual([3]);
    },
  },
  {
    title: 'takes nothing for a read that was aborted',
    run: async ({ port, peer, settle }) => {
      const reason = new Error('enough');
      const abort = new AbortController();
      const reading = rejection(() => port.read(new Uint8Array(8), { signal: abort.signal }));
      abort.abort(reason);
      expect(await settle(reading)).toBe(reason);
      expect(await settle(rejection(() => port.read(new Uint8Array(8), { signal: abort.signal })))).toBe(reason);
      await settle(peer.write(Uint8Array.of(1, 2, 3)));
      expect([...(await settle(readExactly(port, 3)))]).toEqual([1, 2, 3]);
    },
  },
  {
    title: 'answers everything with DeviceError closed after its end, and completes its status',
    needs: ['close'],
    run: async (fixture) => {
      const { port, settle } = fixture;
      const completed = new Promise<void>((complete) => void port.status$.subscribe({ complete }));
      await settle(required(fixture.close, 'close')());
      await settle(completed);
      const bytes = new Uint8Array(4);
      for (const attempt of [
        () => port.read(bytes),
        () => port.write(bytes),
        () => port.drain(),
        () => port.set({ dtr: false }),
      ]) {
        const error = await settle(rejection(attempt));
        expect(isDeviceError(error, 'closed'), String(error)).toBe(true);
      }
    },
  },
  {
    title: 'settles what is in flight when it ends',
    needs: ['close'],
    run: async (fixture) => {
      const { port, settle } = fixture;
      const calls = [
        port.read(new Uint8Array(4)),
        port.write(serialPattern(4000)),
        port.drain(),
        port.set({ rts: false }),
      ];
      const inFlight = Promise.allSettled(calls);
      await settle(required(fixture.close, 'close')());
      for (const result of await settle(inFlight)) {
        if (result.status === 'rejected') expect(isDeviceError(result.reason), String(result.reason)).toBe(true);
      }
    },
  },
];
