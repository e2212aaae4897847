import type { DmaAllocator, DmaBuffer, MemoryRegion, RegisterSpace } from '@ring3/core';
import { type DmaFixture, dmaConformance } from '@ring3/core/testing';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { QemuBackend } from './backend.ts';
import { diskImage, needsQemu, selector } from './test-machine.ts';

beforeEach(needsQemu);

// Registers of edu. Source: QEMU, docs/specs/edu.txt.
const DMA_FROM = 0x80;
const DMA_TO = 0x88;
const DMA_BYTES = 0x90;
const DMA_COMMAND = 0x98;
const BUFFER = 0x4_0000n;
/** QEMU 7.2 ends itself when a transfer fills the buffer of 4096 bytes to its last byte. */
const PIECE = 2048;
const TO_DEVICE = 1n;
const TO_MEMORY = 3n;
const RUNNING = 1n;

/** edu moves bytes between memory and a buffer that the processor does not see. */
async function startEdu(): Promise<DmaFixture> {
  const backend = new QemuBackend();
  const device = await backend.open(selector({ machine: 'pc', devices: ['edu'] }));
  const [bar0] = device.description.spaces;
  const registers = device.openSpace(bar0 as NonNullable<typeof bar0>) as MemoryRegion;
  const dma = device.openDma();
  const own = dma.allocate(4096, { addressBits: 28 });
  const move = async (from: bigint, to: bigint, length: number, command: bigint) => {
    registers.write64(DMA_FROM, from);
    registers.write64(DMA_TO, to);
    registers.write64(DMA_BYTES, BigInt(length));
    registers.write64(DMA_COMMAND, command);
    while ((registers.read64(DMA_COMMAND) & RUNNING) !== 0n) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const moveAll = async (from: bigint, to: bigint, length: number) => {
    for (let at = 0; at < length; at += PIECE) {
      const size = Math.min(PIECE, length - at);
      await move(from + BigInt(at), BUFFER, size, TO_DEVICE);
      await move(BUFFER, to + BigInt(at), size, TO_MEMORY);
    }
  };
  return {
    dma,
    device: {
      addressBits: 28,
      read: async (busAddress, length) => {
        await moveAll(busAddress, own.busAddress, length);
        return own.bytes.slice(0, length);
      },
      write: async (busAddress, from) => {
        own.bytes.set(from);
        await moveAll(own.busAddress, busAddress, from.length);
      },
    },
    close: () => device.close(),
    stop: () => backend.close(),
  };
}

dmaConformance({ name: 'memory of QEMU, seen by edu', start: startEdu });

// Registers of a bus master. Source: Programming Interface for Bus Master IDE Controller, revision 1.0.
const COMMAND = 0;
const STATUS = 2;
const TABLE = 4;
const START_TO_MEMORY = 0x09;
const READ_DMA = 0xc8;
const DRIVES_CAN_DMA = 0x60;

/** Where a transfer goes: a table of one entry. */
function table(entry: DmaBuffer, target: DmaBuffer): void {
  const view = new DataView(entry.bytes.buffer, entry.bytes.byteOffset, 8);
  view.setUint32(0, Number(target.busAddress), true);
  view.setUint32(4, (0x8000_0000 | target.bytes.length) >>> 0, true);
}

/** Has the disk read `sectors` sectors from `first` on, to a buffer of that size; does not wait for the end. */
function startRead(
  ide: { command: RegisterSpace; busMaster: RegisterSpace },
  dma: DmaAllocator,
  first: number,
  sectors: number,
) {
  const rules = { alignment: 4, boundary: 0x1_0000, addressBits: 32 };
  const entry = dma.allocate(8, rules);
  const target = dma.allocate(sectors * 512, rules);
  table(entry, target);
  ide.busMaster.write32(TABLE, Number(entry.busAddress));
  for (const [offset, value] of [
    [6, 0xe0],
    [2, sectors],
    [3, first],
    [4, 0],
    [5, 0],
    [7, READ_DMA],
  ] as const)
    ide.command.write8(offset, value);
  ide.busMaster.write8(COMMAND, START_TO_MEMORY);
  return target;
}

async function openIde(machine: string, file: string) {
  const backend = new QemuBackend();
  onTestFinished(() => backend.close());
  const devices = ['ide-hd,drive=d0,bus=ide.0'];
  const device = await backend.open(selector({ machine, devices, drives: [{ id: 'd0', file }], select: 'ide' }));
  const space = (name: string): RegisterSpace => {
    const found = device.description.spaces.find((one) => one.name === name);
    if (found === undefined) expect.fail(`no space ${name}`);
    return device.openSpace(found);
  };
  return { device, command: space('command0'), busMaster: space('busMaster') };
}

it.each(['pc', 'clipper'])(
  'finds memory where the bus master of %s does, and leaves the DMA mode announced',
  async (board) => {
    const { path, content } = diskImage();
    const { device, command, busMaster } = await openIde(board, path);
    expect(busMaster.read8(STATUS) & DRIVES_CAN_DMA).toBe(DRIVES_CAN_DMA);
    expect(busMaster.read8(8 + STATUS) & DRIVES_CAN_DMA).toBe(DRIVES_CAN_DMA);
    const target = startRead({ command, busMaster }, device.openDma(), 100, 8);
    while ((busMaster.read8(STATUS) & 0x05) !== 0x04);
    expect(Buffer.compare(target.bytes, content.subarray(100 * 512, 108 * 512))).toBe(0);
  },
);

it('lets a device be bus master from openDma to silence', async () => {
  const { path } = diskImage();
  const { device, busMaster, command } = await openIde('pc', path);
  const dma = device.openDma();
  device.silence();
  const target = startRead({ command, busMaster }, dma, 1, 1);
  for (let look = 0; look < 200; look++) busMaster.read8(STATUS);
  expect(target.bytes.every((byte) => byte === 0)).toBe(true);
});
