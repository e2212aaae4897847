import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { QEMU_SELECTOR, QemuBackend } from '@ring3/backend-qemu';
import { BLOCK_DEVICE, type BlockDevice, type Logger, type OpenDevice, Scope, ServiceDirectory } from '@ring3/core';
import { needsTools } from '@ring3/core/testing';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type AtaController, ataOptions, ataSff } from './index.ts';
import { blocks } from './test-driver.ts';

export const needsQemu = needsTools({
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-system-alpha': 'qemu-system-misc',
  setpriv: 'util-linux',
});

/** A rule of QEMU's blkdebug. */
export interface DriveFault {
  readonly event: 'read_aio' | 'write_aio' | 'flush_to_disk';
  readonly sector?: number;
  readonly errno?: number;
  readonly once?: boolean;
}

/** One disk: its place is its index, channel times two plus position. */
export interface QemuDisk {
  readonly sectors: number;
  readonly driver?: 'ide-hd' | 'ide-cd';
  readonly faults?: readonly DriveFault[];
}

/** `pc`: piix3-ide, compatibility mode, IRQ 14 and 15. `clipper`: cmd646-ide, native mode, five base address registers. */
export interface QemuSetUp {
  readonly machine?: 'pc' | 'clipper';
  readonly disks?: readonly (QemuDisk | undefined)[];
  readonly options?: z.input<typeof ataOptions>;
}

/** The driver on a controller of QEMU. */
export interface QemuDriver {
  readonly backend: QemuBackend;
  readonly device: OpenDevice;
  readonly controller: AtaController;
  readonly services: ServiceDirectory;
  /** What the driver said, `level: message`. */
  readonly said: string[];
  disk(name?: string): BlockDevice;
  /** What an image holds now. */
  image(index: number): Buffer;
  /** The driver's orderly end; QEMU goes on. */
  stop(): Promise<void>;
  /** Attaches the driver anew, as after `stop` or without it. */
  again(options?: z.input<typeof ataOptions>): Promise<QemuDriver>;
  kill(): void;
}

/** Starts QEMU and attaches the driver; all ends with the test. */
export async function driveQemu(setUp: QemuSetUp = {}): Promise<QemuDriver> {
  const { machine = 'pc', disks = [{ sectors: 4096 }] } = setUp;
  const folder = temporaryFolder();
  const present = disks.flatMap((disk, index) => (disk === undefined ? [] : [{ ...disk, index }]));
  for (const { sectors, index } of present) writeFileSync(imageIn(folder, index), blocks(sectors, index));
  const selector = QEMU_SELECTOR.parse({
    machine,
    drives: present.map(({ index, faults = [], driver }) => ({
      id: `d${index}`,
      file: imageIn(folder, index),
      faults,
      readOnly: driver === 'ide-cd',
    })),
    devices: present.map(({ index, driver = 'ide-hd' }) => ({
      driver,
      drive: `d${index}`,
      bus: `ide.${index >> 1}`,
      unit: index & 1,
      serial: `R3QEMU${index}`,
    })),
    select: 'ide',
  });
  const backend = new QemuBackend();
  onTestFinished(() => backend.close());
  return await attach({ backend, selector, folder }, setUp.options);
}

/** A folder that lives as long as the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-ata-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Place {
  readonly backend: QemuBackend;
  readonly selector: ReturnType<typeof QEMU_SELECTOR.parse>;
  readonly folder: string;
}

async function attach(place: Place, options: z.input<typeof ataOptions> = {}): Promise<QemuDriver> {
  const { backend, selector, folder } = place;
  const said: string[] = [];
  const { pid } = await backend.machineOf(selector);
  const device = await backend.open(selector);
  const services = new ServiceDirectory();
  const scope = new Scope('ata0');
  const environment = { name: 'ata0', clock: device.clock, log: recorder(said), services, simulated: true };
  const handles = { ...(await openHandles(device)), ...environment };
  const controller = await ataSff.attach(handles, ataOptions.parse(options), scope);
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await scope.close();
    await device.close();
  };
  return {
    backend,
    device,
    controller,
    services,
    said,
    disk: (name = 'disk0') => services.get(BLOCK_DEVICE, name),
    image: (index) => readFileSync(imageIn(folder, index)),
    stop,
    again: async (other) => {
      if (!stopped) await device.close(); // As when its process was killed.
      stopped = true;
      return await attach(place, other ?? options);
    },
    kill: () => process.kill(pid, 'SIGKILL'),
  };
}

async function openHandles(device: OpenDevice) {
  const { spaces, interrupts, dma } = device.description;
  const space = async (bar: number) => {
    const resource = spaces.find((each) => each.bar === bar);
    return resource && (await device.openSpace(resource));
  };
  const line = async (index: number) => {
    const resource = interrupts.find((each) => each.index === index);
    return resource && (await device.openInterrupt(resource));
  };
  const command0 = await space(0);
  if (command0 === undefined) throw new Error(`${device.description.id} has no command block`);
  return {
    command0,
    control0: await space(1),
    irq0: await line(0),
    command1: await space(2),
    control1: await space(3),
    irq1: await line(1),
    busMaster: await space(4),
    dma: dma && (await device.openDma?.()),
  };
}

function imageIn(folder: string, index: number): string {
  return join(folder, `disk${index}.img`);
}

function recorder(said: string[]): Logger {
  const say = (level: string) => (message: string) => void said.push(`${level}: ${message}`);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
