import { readExactly, serialPattern, statusNow, statusWhere } from '@ring3/core/testing';
import { describe, expect, it } from 'vitest';
import { attachDriver, attachPair, attachTerminal } from './test-driver.ts';

const CHARACTER_US = 1e7 / 115_200;

describe('at the start', () => {
  it.each([
    ['8250', 1],
    ['16450', 1],
    ['16550', 1],
    ['16550A', 16],
  ] as const)('knows a %s by its FIFO bits and its scratch register', async (kind, fifoBytes) => {
    const { port, stop } = await attachDriver({ model: { kind } });
    expect(port.info).toEqual({ model: kind, fifoBytes, simulated: true });
    await stop();
  });

  it('refuses what is no UART, and a stride that is not that of the device', async () => {
    const wrong = { model: { space: 'memory', stride: 4, width: 8 }, options: { registerStride: 2 } } as const;
    await expect(attachDriver(wrong)).rejects.toMatchObject({ code: 'not-found' });
    const small = { options: { registerStride: 4 } } as const;
    await expect(attachDriver(small)).rejects.toThrow('need 29 bytes; the space has 8');
    const dead = { faults: { removal: { atAccess: 1 } } };
    await expect(attachDriver(dead)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('tests the loopback of the chip when it is told to', async () => {
    const sound = await attachDriver({ options: { selfTest: true } });
    expect(sound.said.join()).toContain('16550A');
    const stuck = { space: 'registers', offset: 0, access: 'read', stuckBits: { mask: 1, value: 0 } } as const;
    const broken = attachDriver({ options: { selfTest: true }, faults: { registers: [stuck] } });
    await expect(broken).rejects.toThrow('0x55 came back as 0x54 through the loopback');
  });

  it('starts a chip that was left in the middle of everything', async () => {
    const { port, terminal, sim } = await attachTerminal({
      before: ({ uart }) => {
        uart.write(3, 0x83); // DLAB
        uart.write(0, 3);
        uart.write(3, 0x43); // break
        uart.write(4, 0x1f); // loopback
        uart.write(2, 0x01);
        uart.write(1, 0x0f);
        for (let value = 0; value < 16; value++) uart.write(0, value);
        uart.write(3, 0xc3); // DLAB and break
      },
    });
    terminal.type([1, 2, 3]);
    expect([...(await sim.run(readExactly(port, 3)))]).toEqual([1, 2, 3]);
    await sim.run(port.write(Uint8Array.of(4)));
    await sim.run(port.drain());
    expect(terminal.screen.at(-1)).toBe(4);
  });

  it('refuses settings that the chip does not have, and keeps those that it has', async () => {
    await expect(attachDriver({ options: { baudRate: 100_000 } })).rejects.toThrow('115200 (+15.2 %');
    const { port, sim } = await attachDriver();
    for (const change of [{ baudRate: 2_000_000 }, { stopBits: 1.5 }] as const) {
      await expect(sim.run(port.set(change))).rejects.toMatchObject({ code: 'unsupported' });
    }
    expect((await statusNow(port)).settings).toMatchObject({ baudRate: 115_200, stopBits: 1 });
  });
});

describe('by interrupt', () => {
  it('moves 64 KiB both ways at once at the speed of the line', async () => {
    const { a, b } = await attachPair({ options: { receiveTrigger: 14 } }, { options: { receiveTrigger: 14 } });
    const [out, back] = [serialPattern(65_536, 1), serialPattern(65_536, 2)];
    const startUs = a.sim.clock.nowUs();
    const reads = [readExactly(b.port, 65_536), readExactly(a.port, 65_536)] as const;
    const [sent, received] = await a.sim.run(Promise.all([...reads, a.port.write(out), b.port.write(back)]));
    const tookUs = a.sim.clock.nowUs() - startUs;
    expect(Buffer.compare(sent, out)).toBe(0);
    expect(Buffer.compare(received, back)).toBe(0);
    expect(tookUs / (65_536 * CHARACTER_US)).toBeLessThan(1.03);
    for (const { driver, hardware, port } of [a, b]) {
      expect(driver.statistics).toMatchObject({ received: 65_536, sent: 65_536, lostInterrupts: 0 });
      expect(driver.statistics.interrupts).toBeLessThan(2 * (65_536 / 14 + 65_536 / 16));
      expect(hardware.uart.violations).toEqual([]);
      expect((await statusNow(port)).errors).toMatchObject({ overruns: 0, bufferOverruns: 0 });
    }
  });

  it('delivers fewer characters than the trigger level after the timeout of the chip', async () => {
    const { port, terminal, sim } = await attachTerminal({ options: { receiveTrigger: 14 } });
    terminal.type([1, 2, 3]);
    const startUs = sim.clock.nowUs();
    expect([...(await sim.run(readExactly(port, 3)))]).toEqual([1, 2, 3]);
    expect((sim.clock.nowUs() - startUs) / CHARACTER_US).toBeLessThan(8);
  });

  it('leaves a shared line to others when it has nothing to say', async () => {
    const { sim, driver, pass } = await attachTerminal({
      faults: { spurious: [{ atUs: 5000, everyUs: 100, times: 50 }] },
    });
    await pass(20_000);
    expect(sim.interrupt().statistics.notMine).toBe(50);
    expect(driver.statistics.interrupts).toBe(1); // The modem lines, when the terminal was plugged in.
  });

  it('ends each interrupt, also when the chip never says that it is done', async () => {
    const neverDone = { space: 'registers', offset: 2, access: 'read', stuckBits: { mask: 1, value: 0 } } as const;
    const { driver, hardware, sim, pass } = await attachDriver({ faults: { registers: [neverDone] } });
    const before = sim.faults.count;
    hardware.uart.setInputs({ cts: true });
    await pass(5000);
    expect(driver.statistics.interrupts).toBeGreaterThan(0);
    expect(sim.faults.count - before).toBe(16 * driver.statistics.interrupts);
  });

  it('serves a chip that gives no interrupt when its enable comes late', async () => {
    const { port, terminal, driver, sim } = await attachTerminal({ model: { silentEnable: true } });
    for (let round = 0; round < 5; round++) {
      await sim.run(port.write(serialPattern(100, round)));
      await sim.run(port.drain());
    }
    expect(terminal.screen).toHaveLength(500);
    expect(driver.statistics.lostInterrupts).toBe(0);
  });
});

describe('what goes wrong on the line', () => {
  it('is counted for each character, in the middle of a full FIFO', async () => {
    const { port, terminal, sim } = await attachTerminal();
    const keys = Array.from({ length: 40 }, (_, value) =>
      value % 10 === 3
        ? { value, damage: 'parity' as const }
        : value % 10 === 7
          ? { value, damage: 'framing' as const }
          : value,
    );
    terminal.type(keys);
    expect([...(await sim.run(readExactly(port, 40)))]).toEqual(Array.from({ length: 40 }, (_, value) => value));
    expect((await statusNow(port)).errors).toMatchObject({ parity: 4, framing: 4, overruns: 0 });
  });

  it('is told when characters were overrun because the interrupt came late', async () => {
    const late = { every: 4, delayUs: 5000 };
    const { port, terminal, sim } = await attachTerminal({ faults: { interrupts: [late] } });
    terminal.type(serialPattern(2000));
    await sim.run(statusWhere(port.status$, ({ errors }) => errors.overruns > 0));
  });

  it('is told when characters were overrun while the driver took others', async () => {
    const slow = { space: 'registers', offset: 0, access: 'read', nth: 1, delayUs: 5000 } as const;
    const { port, terminal, sim } = await attachTerminal({ faults: { registers: [slow] } });
    terminal.type([{ value: 1, damage: 'parity' }, ...serialPattern(100)]);
    await sim.run(statusWhere(port.status$, ({ errors }) => errors.overruns > 0));
    const { errors } = await statusNow(port);
    expect(errors.parity).toBe(1);
  });

  it('is told when nobody reads for so long that the buffer is full', async () => {
    const { port, terminal, sim, pass } = await attachTerminal({ options: { receiveBufferBytes: 256 } });
    const data = serialPattern(300);
    terminal.type(data);
    await pass(320 * CHARACTER_US);
    expect((await statusNow(port)).errors.bufferOverruns).toBe(44);
    expect(Buffer.compare(await sim.run(readExactly(port, 256)), data.subarray(0, 256))).toBe(0);
  });
});

describe('settings and break', () => {
  it('change as soon as the chip is empty, in the middle of a write, of which nothing is lost', async () => {
    const { port, terminal, hardware, sim } = await attachTerminal();
    const data = serialPattern(2000);
    const writing = port.write(data);
    const startUs = sim.clock.nowUs();
    await sim.run(port.set({ baudRate: 57_600, parity: 'even' }));
    expect((sim.clock.nowUs() - startUs) / CHARACTER_US).toBeLessThan(35);
    await sim.run(writing);
    await sim.run(port.drain());
    expect(Buffer.compare(Uint8Array.from(terminal.screen), data)).toBe(0);
    expect(hardware.uart.violations).toEqual([]);
  });

  it('holds what is written back while the line is in the break condition', async () => {
    const { port, terminal, sim, pass } = await attachTerminal();
    await sim.run(port.set({ break: true }));
    const writing = port.write(Uint8Array.of(1, 2, 3));
    await pass(250_000);
    expect(terminal.breaks).toBe(1);
    await sim.run(port.set({ break: false }));
    await sim.run(writing);
    await sim.run(port.drain());
    expect(terminal.screen).toEqual([1, 2, 3]);
  });
});

describe('flow control', () => {
  it('takes RTS back at half a buffer and gives it again at a quarter', async () => {
    const options = { receiveBufferBytes: 1024, flowControl: 'rts-cts' } as const;
    const { port, terminal, sim, pass } = await attachTerminal({ options }, { obeysRts: true });
    const data = serialPattern(5000);
    terminal.type(data);
    await pass(3000 * CHARACTER_US);
    expect(terminal.idle).toBe(false);
    expect((await statusNow(port)).outputs.rts).toBe(false);
    expect(Buffer.compare(await sim.run(readExactly(port, 5000)), data)).toBe(0);
    expect((await statusNow(port)).errors).toMatchObject({ overruns: 0, bufferOverruns: 0 });
  });

  it('stops within a FIFO when CTS goes, and goes on when it comes', async () => {
    const { port, terminal, hardware, sim, pass } = await attachTerminal({ options: { flowControl: 'rts-cts' } });
    let written = false;
    const data = serialPattern(200);
    const writing = port.write(data).then(() => {
      written = true;
    });
    await pass(50 * CHARACTER_US);
    hardware.uart.setInputs({ cts: false });
    const before = terminal.screen.length;
    await pass(500 * CHARACTER_US);
    expect(terminal.screen.length - before).toBeLessThanOrEqual(17);
    expect(written).toBe(false);
    hardware.uart.setInputs({ cts: true });
    await sim.run(writing);
    await sim.run(port.drain());
    expect(Buffer.compare(Uint8Array.from(terminal.screen), data)).toBe(0);
  });

  it('goes on when CTS comes, also when the interrupt that tells so is lost', async () => {
    const faults = { interrupts: [{ nth: 2, lose: true as const }] };
    const { port, terminal, hardware, sim, driver } = await attachTerminal({
      faults,
      options: { flowControl: 'rts-cts' },
    });
    hardware.uart.setInputs({ cts: false });
    const writing = port.write(serialPattern(10));
    hardware.uart.setInputs({ cts: true });
    await sim.run(writing);
    await sim.run(port.drain());
    expect(terminal.screen).toHaveLength(10);
    expect(driver.statistics.interrupts).toBeLessThan(3);
  });

  it('obeys XOFF and XON, which are no data', async () => {
    const { port, terminal, sim, pass } = await attachTerminal({ options: { flowControl: 'xon-xoff' } });
    terminal.type([0x13]);
    await pass(10 * CHARACTER_US);
    const writing = port.write(serialPattern(10));
    await pass(100 * CHARACTER_US);
    expect(terminal.screen).toEqual([]);
    terminal.type([0x11, 0x42]);
    await sim.run(writing);
    expect([...(await sim.run(readExactly(port, 1)))]).toEqual([0x42]);
  });

  it('lets a write be given up that waits for the other end, and sends the next one', async () => {
    const { port, terminal, hardware, sim } = await attachTerminal({ options: { flowControl: 'rts-cts' } });
    hardware.uart.setInputs({ cts: false });
    const abort = new AbortController();
    const stuck = port.write(Uint8Array.of(1, 2, 3), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(sim.run(stuck)).rejects.toThrow('enough');
    const next = port.write(Uint8Array.of(4));
    hardware.uart.setInputs({ cts: true });
    await sim.run(next);
    await sim.run(port.drain());
    expect(terminal.screen).toEqual([4]);
  });
});

describe('what goes wrong in the machine', () => {
  it('takes lost interrupts for such, polls after three in a row, and returns to interrupts when one comes', async () => {
    const lost = Array.from({ length: 6 }, (_, index) => ({ nth: index + 1, lose: true as const }));
    const { port, terminal, driver, sim, said } = await attachTerminal({ faults: { interrupts: lost } });
    const data = serialPattern(3000);
    const reading = readExactly(port, 3000);
    await sim.run(port.write(data));
    await sim.run(port.drain());
    terminal.type(data);
    expect(Buffer.compare(await sim.run(reading), data)).toBe(0);
    expect(Buffer.compare(Uint8Array.from(terminal.screen), data)).toBe(0);
    expect(driver.statistics.lostInterrupts).toBeGreaterThanOrEqual(1);
    expect(said.filter((line) => line.startsWith('warn')).join('\n')).toContain('did not come');
  });

  it('gets over one lost interrupt without polling, and forgets no error that it saw on the way', async () => {
    const faults = { interrupts: [{ nth: 2, lose: true as const }] };
    const { port, terminal, driver, sim, pass, said } = await attachTerminal({ faults });
    const reading = readExactly(port, 1);
    await pass(10_000);
    terminal.type([{ value: 7, damage: 'parity' }]);
    expect([...(await sim.run(reading))]).toEqual([7]);
    expect((await statusNow(port)).errors.parity).toBe(1);
    expect(driver.statistics.lostInterrupts).toBe(1);
    expect(said.join()).not.toContain('polling');
  });

  it('fails writes when the transmitter does not move, says how far they came, and goes on when it moves again', async () => {
    const { port, terminal, hardware, driver, sim } = await attachTerminal();
    await sim.run(port.write(Uint8Array.of(1)));
    await sim.run(port.drain());
    hardware.uart.transmitter.stalled = true;
    const failure = await sim.run(port.write(serialPattern(40)).catch((error) => error));
    expect(failure).toMatchObject({ code: 'timeout', details: { written: 16 } });
    expect(driver.statistics.stuckTransmitters).toBe(1);
    hardware.uart.transmitter.stalled = false;
    await sim.run(port.write(Uint8Array.of(2)));
    await sim.run(port.drain());
    expect(terminal.screen).toEqual([1, 2]);
  });

  it('withdraws the port with the reason when the device is gone', async () => {
    for (const interrupts of ['auto', 'polling'] as const) {
      const { port, services, sim } = await attachTerminal({ options: { interrupts } });
      const [published] = services.list();
      const outcomes = Promise.allSettled([
        port.read(new Uint8Array(1)),
        port.write(serialPattern(1000)),
        port.drain(),
      ]);
      sim.removeDevice();
      for (const outcome of await sim.run(outcomes)) expect(outcome).toMatchObject({ reason: { code: 'gone' } });
      expect(await published?.withdrawn).toContain('nothing drives the bus');
      expect(services.list()).toEqual([]);
    }
  });
});

describe('at the end', () => {
  it('sends what was written, then makes the chip quiet and silent', async () => {
    const { port, terminal, hardware, sim, stop } = await attachTerminal();
    const writing = port.write(serialPattern(1000));
    await stop();
    await sim.run(writing);
    expect(terminal.screen).toHaveLength(1000);
    expect([hardware.uart.read(1), hardware.uart.read(4)]).toEqual([0, 0]);
    expect(terminal.seen).toEqual({ dtr: false, rts: false });
  });

  it('waits for the other end no longer than it was told', async () => {
    const options = { flowControl: 'rts-cts', drainSeconds: 1 } as const;
    const { port, hardware, sim, said, stop } = await attachTerminal({ options });
    hardware.uart.setInputs({ cts: false });
    const writing = port.write(serialPattern(100)).catch((error) => error);
    const startUs = sim.clock.nowUs();
    await stop();
    expect(sim.clock.nowUs() - startUs).toBeLessThan(1_100_000);
    expect(await sim.run(writing)).toMatchObject({ code: 'closed', details: { written: 0 } });
    expect(said.at(-1)).toContain('was not sent in 1 s');
  });
});
