import { readdirSync, readFileSync } from 'node:fs';
import type { InterruptSource, OpenDevice, RegisterSpace } from '@ring3/core';
import { interruptAfter } from '@ring3/core';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { QemuBackend } from './backend.ts';
import { BOARDS } from './boards/index.ts';
import { needsQemu, selector, turns } from './test-machine.ts';

beforeEach(needsQemu);

async function open(section: Readonly<Record<string, unknown>>) {
  const backend = new QemuBackend();
  onTestFinished(() => backend.close());
  const chosen = selector(section);
  const device = await backend.open(chosen);
  const machine = await backend.machineOf(chosen);
  return { backend, device, machine, section: chosen };
}

function registersOf(device: OpenDevice): RegisterSpace {
  const [space] = device.description.spaces;
  return device.openSpace(space as NonNullable<typeof space>) as RegisterSpace;
}

function interruptOf(device: OpenDevice): InterruptSource {
  const [interrupt] = device.description.interrupts;
  return device.openInterrupt(interrupt as NonNullable<typeof interrupt>) as InterruptSource;
}

/** Whether a thread of a process computes, or waits to. Source: proc(5), field 3 of stat. */
function isBusy(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.some((thread) => / R /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')));
}

it.each([...BOARDS.keys()])('%s runs, and its processor sleeps', async (machine) => {
  const select = machine === 'xilinx-zynq-a9' ? 'spi0' : machine === 'virt' ? 'pl031' : 'ide';
  const { device, machine: qemu } = await open({ machine, select });
  expect(device.description.domain).toContain(machine);
  expect(await qemu.qmp('query-status')).toMatchObject({ running: true });
  for (let asleep = 0; asleep < 100; asleep = isBusy(qemu.pid) ? 0 : asleep + 1) await turns(10);
});

// Registers of the PL061. Source: ARM DDI 0190, chapter 3.
const EVENT = 0x40c;
const ENABLE = 0x410;
const STATUS = 0x418;
const CLEAR_EDGES = 0x41c;

it('sees the pins of PL061 through the GIC of virt, and drives them', async () => {
  const { device, machine } = await open({ machine: 'virt', select: 'pl061' });
  const registers = registersOf(device);
  expect(registers.read32(0xfe0) & 0xff).toBe(0x61);
  registers.write32(EVENT, 0xff);
  registers.write32(ENABLE, 0xff);
  const path = await machine.findObject(/^child<pl061>$/);
  const pin = (level: 0 | 1) => machine.qtest(`set_irq_in ${path} unnamed-gpio-in 2 ${level}`);
  const source = interruptOf(device);
  source.attach(() => {
    if (registers.read32(STATUS) !== 0x04) return 'not-mine';
    pin(0);
    registers.write32(CLEAR_EDGES, 0xff);
    return 'handled';
  });
  source.enable();
  for (let round = 1; round <= 3; round++) {
    await interruptAfter(source, device.clock, 5_000_000, () => void pin(1));
    await turns(5);
    expect(source.statistics).toMatchObject({ events: round, handled: round });
  }
});

it('delivers a level that its driver left behind when it was killed', async () => {
  const { backend, device, machine, section } = await open({ machine: 'virt', select: 'pl061' });
  registersOf(device).write32(EVENT, 0xff);
  registersOf(device).write32(ENABLE, 0xff);
  machine.qtest(`set_irq_in ${await machine.findObject(/^child<pl061>$/)} unnamed-gpio-in 2 1`);
  await device.close(); // The next one connects anew, and QEMU tells changes only.
  const again = await backend.open(section);
  const registers = registersOf(again);
  const source = interruptOf(again);
  source.attach(() => {
    registers.write32(CLEAR_EDGES, 0xff);
    return 'handled';
  });
  await interruptAfter(source, again.clock, 5_000_000, () => source.enable());
  await turns(20);
  expect(source.statistics).toMatchObject({ events: 1, handled: 1 });
});

// Registers of the PL031. Source: ARM DDI 0224, chapter 3.
const DATA = 0x00;
const MATCH = 0x04;
const MASK = 0x10;
const CLEAR = 0x1c;

it('tells the alarm of PL031 while nobody asks', async () => {
  const { device } = await open({ machine: 'virt', select: 'pl031' });
  const registers = registersOf(device);
  const source = interruptOf(device);
  source.attach(() => {
    registers.write32(CLEAR, 1);
    return 'handled';
  });
  source.enable();
  await interruptAfter(source, device.clock, 10_000_000, () => {
    registers.write32(MASK, 1);
    registers.write32(MATCH, registers.read32(DATA) + 1);
  });
  expect(source.statistics.handled).toBe(1);
});

it('reaches a PCI function of virt, with its interrupt', async () => {
  const { device } = await open({ machine: 'virt', devices: ['edu'] });
  const registers = registersOf(device);
  expect(registers.read32(0)).toBe(0x0100_00ed);
  const source = interruptOf(device);
  source.attach(() => {
    registers.write32(0x64, 1);
    return 'handled';
  });
  source.enable();
  await interruptAfter(source, device.clock, 5_000_000, () => registers.write32(0x60, 1));
  expect(source.statistics.handled).toBe(1);
});

// Registers of the SPI controller. Source: UG585, appendix B.
const CONFIG = 0x00;
const SPI_ENABLE = 0x14;
const TRANSMIT = 0x1c;
const RECEIVE = 0x20;
const DESELECTED = 0xfc01;
const SELECT_0 = 0x4001 | (0x0e << 10);
const READ_IDENTIFICATION = 0x9f;

it('reads the identification of a flash chip of xilinx-zynq-a9', async () => {
  const { device } = await open({ machine: 'xilinx-zynq-a9', select: 'spi0' });
  const registers = registersOf(device);
  registers.write32(CONFIG, DESELECTED);
  registers.write32(SPI_ENABLE, 1);
  registers.write32(CONFIG, SELECT_0);
  for (const byte of [READ_IDENTIFICATION, 0, 0, 0]) registers.write32(TRANSMIT, byte);
  const [, ...id] = [0, 1, 2, 3].map(() => registers.read32(RECEIVE));
  registers.write32(CONFIG, DESELECTED);
  expect(id).toEqual([0x20, 0xba, 0x18]); // Micron, 128 Mbit.
});
