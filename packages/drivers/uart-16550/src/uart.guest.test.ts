import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyBinding, planBinding, UioBackend } from '@ring3/backend-uio';
import { Scope, SERIAL_PORT, type SerialPort, ServiceDirectory, SILENT, sleep } from '@ring3/core';
import { readExactly, serialPattern, serialPortConformance, statusNow } from '@ring3/core/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type UartPort, uart16550, uartOptions } from './index.ts';
import { bytesOnly } from './testing/bytes-only.ts';
import { CableEnd } from './testing/cable-end.ts';

// QEMU's pci-serial under a real kernel, in the virtual machine only. Number 0 has a cable that goes through a process
// of the host to a character device in the machine, number 1 one to a process of the host that sends everything back.

const DEVICES = '/sys/bus/pci/devices';
const LONG_BYTES = 64 * 1024;
/** The emulated processor shares the real one with others. */
const SLOW_MS = 300_000;
const inMachine = process.env['RING3_VM'] === '1';

function findSerialPorts(): string[] {
  return readdirSync(DEVICES).filter((address) => {
    const id = (name: string) => Number(readFileSync(join(DEVICES, address, name), 'utf8'));
    return id('vendor') === 0x1b36 && id('device') === 0x0002;
  });
}

const [CABLE = '', ECHO = ''] = inMachine ? findSerialPorts() : [];

interface Attached {
  readonly port: SerialPort;
  readonly driver: UartPort;
  readonly clock: Parameters<typeof sleep>[0];
  stop(): Promise<void>;
}

/** Opens the device through the kernel and attaches the driver to it. */
async function attach(pci: string, options: Parameters<typeof uartOptions.parse>[0] = {}): Promise<Attached> {
  const scope = new Scope('serial0');
  const backend = scope.use('backend', new UioBackend({ log: SILENT }));
  const device = scope.use('device', await backend.open({ select: { pci } }));
  const { spaces, interrupts } = device.description;
  const [bar0] = spaces;
  if (bar0 === undefined) throw new Error(`${pci} has no registers`);
  const registers = await device.openSpace(bar0);
  const irq = interrupts[0] && (await device.openInterrupt(interrupts[0]));
  const services = new ServiceDirectory();
  const environment = { name: 'serial0', clock: device.clock, log: SILENT, services, simulated: false };
  const driver = await uart16550.attach({ registers, irq, ...environment }, uartOptions.parse(options), scope);
  return { port: services.get(SERIAL_PORT, 'port0'), driver, clock: device.clock, stop: () => scope.close() };
}

/** The other end of the cable; a port of the machine, so there is one for all tests. */
let end: CableEnd;

describe.skipIf(!inMachine)('on a real kernel', () => {
  beforeAll(async () => {
    for (const address of [CABLE, ECHO]) await applyBinding(planBinding({}, 'bind', address));
    end = new CableEnd('/dev/virtio-ports/uart0');
  });
  afterAll(async () => {
    end.close();
    for (const address of [CABLE, ECHO]) await applyBinding(planBinding({}, 'unbind', address));
  });

  for (const interrupts of ['required', 'polling'] as const) {
    const how = interrupts === 'required' ? 'by interrupt' : 'by polling';

    it(`64 KiB both ways at once ${how}, compared with what the other end has`, { timeout: SLOW_MS }, async () => {
      const { port, driver, stop } = await attach(CABLE, { interrupts, receiveTrigger: 14 });
      onTestFinished(stop);
      const [out, back] = [serialPattern(LONG_BYTES, 1), serialPattern(LONG_BYTES, 2)];
      const startMs = performance.now();
      const reads = [readExactly(end, LONG_BYTES), readExactly(port, LONG_BYTES)] as const;
      const [sent, received] = await Promise.all([...reads, port.write(out), end.write(back)]);
      const seconds = (performance.now() - startMs) / 1000;
      console.log(how, { seconds, ...driver.statistics });
      expect(Buffer.compare(sent, out)).toBe(0);
      expect(Buffer.compare(received, back)).toBe(0);
      expect(driver.statistics).toMatchObject({ received: LONG_BYTES, sent: LONG_BYTES, stuckTransmitters: 0 });
      // One interrupt serves at most 16 causes: 14 characters received and 16 sent each.
      if (interrupts === 'required') expect(driver.statistics.interrupts).toBeGreaterThan(LONG_BYTES / (16 * 30));
      else expect(driver.statistics.interrupts).toBe(0);
      const { errors } = await statusNow(port);
      expect(errors).toMatchObject({ overruns: 0, bufferOverruns: 0, parity: 0, framing: 0 });
    });
  }

  it('64 KiB through a process of the host that sends everything back', { timeout: SLOW_MS }, async () => {
    const { port, stop } = await attach(ECHO, { receiveTrigger: 14 });
    onTestFinished(stop);
    const data = serialPattern(LONG_BYTES, 3);
    const [received] = await Promise.all([readExactly(port, LONG_BYTES), port.write(data)]);
    expect(Buffer.compare(received, data)).toBe(0);
  });

  it('knows what it is, and tests itself', async () => {
    const { port, stop } = await attach(CABLE, { selfTest: true });
    onTestFinished(stop);
    expect(port.info).toEqual({ model: '16550A', fifoBytes: 16, simulated: false });
  });

  serialPortConformance({
    name: 'uart-16550 on pci-serial through uio_pci_generic',
    cannot: bytesOnly('the other end is a character device without settings and lines'),
    start: async () => {
      const { port, clock, stop } = await attach(CABLE);
      const pass = (us: number) => sleep(clock, us);
      const release = async () => {
        await stop();
        await end.forget();
      };
      return { port, peer: end, longBytes: 2048, settle: (promise) => promise, pass, close: stop, stop: release };
    },
  });
});
