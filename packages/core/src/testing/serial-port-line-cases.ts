import { expect } from 'vitest';
import type { SerialPort, SerialSettings, SerialStatus } from '../serial-port.ts';
import type { SerialPortCase, SerialPortFixture } from './serial-port-harness.ts';
import { expectSameBytes, readExactly, serialPattern, statusNow, statusWhere } from './serial-traffic.ts';

function both(fixture: SerialPortFixture, change: Partial<SerialSettings>): Promise<unknown> {
  return fixture.settle(Promise.all([fixture.port.set(change), fixture.peer.set(change)]));
}

function until({ settle }: SerialPortFixture, port: SerialPort, fits: (status: SerialStatus) => boolean) {
  return settle(statusWhere(port.status$, fits));
}

/** Settings, modem lines, errors. */
export const SERIAL_LINE_CASES: readonly SerialPortCase[] = [
  {
    title: 'changes its settings, tells them, and sends with them',
    needs: ['settings'],
    run: async (fixture) => {
      const { port, peer, settle } = fixture;
      const settings = { baudRate: 57_600, dataBits: 7, parity: 'even', stopBits: 2, flowControl: 'none' } as const;
      await both(fixture, settings);
      expect((await statusNow(port)).settings).toEqual(settings);
      const data = serialPattern(64).map((byte) => byte & 0x7f);
      const reads = [readExactly(peer, 64), readExactly(port, 64)] as const;
      const [sent, received] = await settle(Promise.all([...reads, port.write(data), peer.write(data)]));
      expectSameBytes(sent, data, 'sent');
      expectSameBytes(received, data, 'received');
      expect((await statusNow(port)).errors).toMatchObject({ parity: 0, framing: 0 });
    },
  },
  {
    title: 'sends what it has taken with the settings of before',
    needs: ['settings'],
    run: async (fixture) => {
      const { port, peer, settle } = fixture;
      const data = serialPattern(12);
      await settle(port.write(data));
      await settle(port.set({ baudRate: 1200 }));
      expectSameBytes(await settle(readExactly(peer, 12)), data, 'sent');
      expect((await statusNow(peer)).errors.framing).toBe(0);
    },
  },
  {
    title: 'shows what the other end drives, and drives what it is told',
    needs: ['modem-lines'],
    run: async (fixture) => {
      const { port, peer, settle } = fixture;
      for (const [dtr, rts] of [
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        await settle(peer.set({ dtr, rts }));
        await until(fixture, port, ({ inputs }) => inputs.cts === rts && inputs.dsr === dtr && inputs.dcd === dtr);
        await settle(port.set({ dtr, rts }));
        expect((await statusNow(port)).outputs).toEqual({ dtr, rts, break: false });
        await until(fixture, peer, ({ inputs }) => inputs.cts === rts && inputs.dsr === dtr);
      }
    },
  },
  {
    title: 'sends and counts a break, and delivers no character for it',
    needs: ['break'],
    run: async (fixture) => {
      const { port, peer, settle, pass } = fixture;
      for (const [from, to] of [
        [port, peer],
        [peer, port],
      ] as const) {
        await settle(from.set({ break: true }));
        await pass(250_000);
        await settle(from.set({ break: false }));
        await until(fixture, to, ({ errors }) => errors.breaks === 1);
        await pass(10_000);
        await settle(from.write(Uint8Array.of(0x42)));
        expect([...(await settle(readExactly(to, 1)))]).toEqual([0x42]);
      }
    },
  },
  {
    title: 'counts characters with wrong parity before the read that delivers them resolves',
    needs: ['line-errors'],
    run: async (fixture) => {
      const { port, peer, settle } = fixture;
      await settle(Promise.all([port.set({ parity: 'even' }), peer.set({ parity: 'odd' })]));
      const into = new Uint8Array(1);
      let counted = 0;
      port.status$.subscribe(({ errors }) => {
        counted = errors.parity;
      });
      const first = port.read(into).then(() => counted);
      await settle(peer.write(Uint8Array.of(1, 2, 3)));
      expect(await settle(first)).toBeGreaterThan(0);
      expect([...into, ...(await settle(readExactly(port, 2)))]).toEqual([1, 2, 3]);
      expect(counted).toBe(3);
    },
  },
  {
    title: 'counts characters that come at another speed',
    needs: ['line-errors'],
    run: async (fixture) => {
      const { port, peer, settle } = fixture;
      await settle(Promise.all([port.set({ baudRate: 9600 }), peer.set({ baudRate: 4800 })]));
      await settle(peer.write(new Uint8Array(4)));
      await until(fixture, port, ({ errors }) => errors.framing + errors.breaks > 0);
    },
  },
];

/** No port buffers that much for a reader that does not come. */
const FLOW_BYTES = 12 * 1024;

/** A slow reader holds a fast writer back, and nothing is lost. */
export const SERIAL_FLOW_CASES: readonly SerialPortCase[] = (['rts-cts', 'xon-xoff'] as const).flatMap(
  (flowControl) => [
    {
      title: `loses nothing with ${flowControl} when nobody reads for long`,
      needs: [flowControl],
      run: async (fixture: SerialPortFixture) => {
        const { port, peer, settle } = fixture;
        const count = FLOW_BYTES;
        await both(fixture, { baudRate: 115_200, flowControl });
        for (const [from, to] of [
          [peer, port],
          [port, peer],
        ] as const) {
          const data = serialPattern(count).map((byte) => byte | 0x20); // No XON or XOFF among them.
          let written = false;
          const writing = from.write(data).then(() => {
            written = true;
          });
          await fixture.pass(2 * count * 87);
          expect(written, 'the write waits for a reader').toBe(false);
          expectSameBytes(await settle(readExactly(to, count)), data, 'received');
          await settle(writing);
          const { errors } = await statusNow(to);
          expect(errors).toMatchObject({ overruns: 0, bufferOverruns: 0 });
        }
      },
    },
  ],
);
