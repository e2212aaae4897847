import { QEMU_SELECTOR, QemuBackend } from '@ring3/backend-qemu';
import { Scope, SERIAL_PORT, type SerialPort, ServiceDirectory, SILENT, sleep } from '@ring3/core';
import { needsTools, readExactly, serialPattern, serialPortConformance } from '@ring3/core/testing';
import { openPseudoTerminal } from '@ring3/linux';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { type UartPort, uart16550, uartOptions } from './index.ts';
import { bytesOnly } from './testing/bytes-only.ts';
import { CableEnd } from './testing/cable-end.ts';

// QEMU's pci-serial without a kernel; the other end of its line is a terminal of this process.

beforeEach(needsTools({ 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' }));

const LONG_BYTES = 16 * 1024;

interface Attached {
  readonly port: SerialPort;
  readonly driver: UartPort;
  readonly end: CableEnd;
  readonly clock: Parameters<typeof sleep>[0];
  stop(): Promise<void>;
  /** Also ends QEMU and the terminal. */
  release(): Promise<void>;
}

async function attach(options: Parameters<typeof uartOptions.parse>[0] = {}): Promise<Attached> {
  const terminal = openPseudoTerminal();
  const end = new CableEnd(terminal.master);
  const backend = new QemuBackend();
  const section = {
    machine: 'pc',
    devices: ['pci-serial,chardev=line0'],
    terminals: [{ id: 'line0', path: terminal.path }],
  };
  const scope = new Scope('serial0');
  const device = scope.use('device', await backend.open(QEMU_SELECTOR.parse(section)));
  const [bar0] = device.description.spaces;
  const [resource] = device.description.interrupts;
  if (bar0 === undefined || resource === undefined) throw new Error('pci-serial has registers and an interrupt');
  const registers = device.openSpace(bar0);
  const irq = device.openInterrupt(resource);
  const services = new ServiceDirectory();
  const environment = { name: 'serial0', clock: device.clock, log: SILENT, services, simulated: true };
  const driver = await uart16550.attach({ registers, irq, ...environment }, uartOptions.parse(options), scope);
  const release = async () => {
    await scope.close();
    await backend.close();
    end.close();
    terminal.close({ master: false });
  };
  return {
    port: services.get(SERIAL_PORT, 'port0'),
    driver,
    end,
    clock: device.clock,
    stop: () => scope.close(),
    release,
  };
}

for (const interrupts of ['required', 'polling'] as const) {
  it(`moves 16 KiB both ways at once ${interrupts === 'polling' ? 'by polling' : 'by interrupt'}`, async () => {
    const { port, driver, end, release } = await attach({ interrupts, receiveTrigger: 14 });
    onTestFinished(release);
    const [out, back] = [serialPattern(LONG_BYTES, 1), serialPattern(LONG_BYTES, 2)];
    const reads = [readExactly(end, LONG_BYTES), readExactly(port, LONG_BYTES)] as const;
    const [sent, received] = await Promise.all([...reads, port.write(out), end.write(back)]);
    expect(Buffer.compare(sent, out)).toBe(0);
    expect(Buffer.compare(received, back)).toBe(0);
    expect(driver.statistics).toMatchObject({ received: LONG_BYTES, sent: LONG_BYTES, stuckTransmitters: 0 });
  });
}

it('knows what it is, and tests itself', async () => {
  const { port, release } = await attach({ selfTest: true });
  onTestFinished(release);
  expect(port.info).toEqual({ model: '16550A', fifoBytes: 16, simulated: true });
});

serialPortConformance({
  name: "uart-16550 on QEMU's pci-serial",
  cannot: bytesOnly('the other end is a terminal without settings and lines'),
  start: async () => {
    const { port, end, clock, stop, release } = await attach();
    const pass = (us: number) => sleep(clock, us);
    return { port, peer: end, longBytes: 2048, settle: (promise) => promise, pass, close: stop, stop: release };
  },
});
