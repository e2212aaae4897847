import { type SerialCallOptions, SILENT } from '@ring3/core';
import {
  ManualClock,
  MemorySerialPort,
  readExactly,
  serialPattern,
  serialPortConformance,
  statusNow,
} from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { ReconnectingSerialPort } from './reconnecting-serial-port.ts';
import { ConnectionLostError } from './wire-error.ts';

/** A driver whose connection can be cut: the calls under way fail as those of a proxy do. */
class Cuttable extends MemorySerialPort {
  #reject: (error: Error) => void = () => {};
  readonly #lost = new Promise<never>((_, reject) => {
    this.#reject = reject;
  });

  override write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    return Promise.race([super.write(from, options), this.#lost]);
  }

  cut(): void {
    this.#lost.catch(() => {});
    this.#reject(new ConnectionLostError('killed'));
  }
}

function life(clock: ManualClock) {
  const [driver, peer] = [new Cuttable(clock, 1024), new MemorySerialPort(clock, 1024)];
  driver.connect(peer);
  peer.connect(driver);
  return { driver, peer };
}

async function start() {
  const clock = new ManualClock();
  const first = life(clock);
  const port = new ReconnectingSerialPort(first.driver, { name: 'serial0/port0', log: SILENT });
  await port.connect(first.driver);
  return { clock, ...first, port };
}

serialPortConformance({
  name: 'that reconnects',
  cannot: { close: 'it ends with gone, see below' },
  start: async () => {
    const { clock, port, peer } = await start();
    return { port, peer, settle: clock.settle.bind(clock), pass: (us) => clock.advance(us), stop: async () => {} };
  },
});

it('lets a read wait for the next life of the driver', async () => {
  const { clock, driver, port } = await start();
  const reading = readExactly(port, 3);
  await clock.advance(1000);
  port.disconnect('killed', driver);
  driver.close();
  await clock.advance(1_000_000);
  const next = life(clock);
  await port.connect(next.driver);
  await clock.settle(next.peer.write(Uint8Array.of(1, 2, 3)));
  expect([...(await clock.settle(reading))]).toEqual([1, 2, 3]);
  expect((await statusNow(port)).errors.interruptions).toBe(1);
});

it('fails a write that was under way, never repeats it, and lets the next one wait', async () => {
  const { clock, driver, port } = await start();
  await clock.settle(port.set({ flowControl: 'rts-cts' }));
  driver.see({ cts: false, dsr: true, dcd: true, ri: false });
  const underWay = port.write(serialPattern(100)).catch((error: unknown) => error);
  await clock.advance(1000);
  driver.cut();
  port.disconnect('killed', driver);
  driver.close();
  expect(await clock.settle(underWay)).toMatchObject({ code: 'gone', details: { bytes: 100 } });
  const waiting = port.write(Uint8Array.of(7));
  const next = life(clock);
  await clock.settle(port.connect(next.driver));
  await clock.settle(waiting);
  expect([...(await clock.settle(readExactly(next.peer, 1)))]).toEqual([7]);
});

it('makes settings and outputs again that users have made, and no break', async () => {
  const { clock, driver, port } = await start();
  await clock.settle(port.set({ baudRate: 1200, parity: 'odd', dtr: false }));
  await clock.settle(port.set({ break: true }));
  port.disconnect('killed', driver);
  const next = life(clock);
  await clock.settle(port.connect(next.driver));
  const { settings, outputs } = await statusNow(next.driver);
  expect(settings).toMatchObject({ baudRate: 1200, parity: 'odd', dataBits: 8 });
  expect(outputs).toEqual({ dtr: false, rts: true, break: false });
});

it('goes on counting errors, and shows no modem lines while the driver is away', async () => {
  const { clock, driver, port } = await start();
  driver.fail('parity');
  driver.fail('parity');
  port.disconnect('killed', driver);
  expect((await statusNow(port)).inputs).toEqual({ cts: false, dsr: false, dcd: false, ri: false });
  const next = life(clock);
  await port.connect(next.driver);
  next.driver.fail('parity');
  const { errors, inputs } = await statusNow(port);
  expect(errors).toMatchObject({ parity: 3, interruptions: 1 });
  expect(inputs.cts).toBe(true);
});

it('ends with the reason of the driver that withdraws it', async () => {
  const { port } = await start();
  const completed = new Promise<void>((complete) => void port.status$.subscribe({ complete }));
  port.withdraw('unplugged');
  await completed;
  expect(await port.withdrawn).toBe('unplugged');
  await expect(port.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'gone', message: 'unplugged' });
});
