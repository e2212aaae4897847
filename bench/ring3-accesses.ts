import { type Simulation, simulate } from '@ring3/backend-sim';
import type { DeviceModel } from '@ring3/backend-sim/model';
import { BLOCK_DEVICE, type BlockDevice, Scope, ServiceDirectory, SILENT } from '@ring3/core';
import { ataOptions, ataSff } from '@ring3/driver-ata-sff';
import ataModel from '@ring3/driver-ata-sff/model';

// How often the driver ata-sff touches a register for a command, by interrupt, counted by the simulated controller.

const FAR = 2 ** 28;
const DISK_MIB = 2 ** 18;
const COMMAND = 7;

type Work = (disk: BlockDevice) => Promise<void>;

const read =
  (block: number, count: number): Work =>
  (disk) =>
    disk.read(block, new Uint8Array(count * 512));
const write =
  (block: number, count: number): Work =>
  (disk) =>
    disk.write(block, new Uint8Array(count * 512));

const DMA: Readonly<Record<string, Work>> = {
  'READ DMA, 16 sectors': read(0, 16),
  'READ DMA, 256 sectors': read(0, 256),
  'READ DMA EXT, 16 sectors': read(FAR, 16),
  'WRITE DMA, 16 sectors': write(0, 16),
  'WRITE DMA EXT, 16 sectors': write(FAR, 16),
  'FLUSH CACHE EXT': (disk) => disk.flush(),
};
const PIO: Readonly<Record<string, Work>> = {
  'READ MULTIPLE, 16 sectors': read(0, 16),
  'READ MULTIPLE, 256 sectors': read(0, 256),
  'READ MULTIPLE EXT, 16 sectors': read(FAR, 16),
  'WRITE MULTIPLE, 16 sectors': write(0, 16),
  'WRITE MULTIPLE EXT, 16 sectors': write(FAR, 16),
};

/** Accesses per command without those of the Data register, by the name of the command. */
export async function ring3Accesses(): Promise<ReadonlyMap<string, number>> {
  return new Map([...(await countAll(DMA, true)), ...(await countAll(PIO, false))]);
}

async function countAll(works: Readonly<Record<string, Work>>, byDma: boolean): Promise<[string, number][]> {
  const counts = { registers: 0, commands: 0 };
  const sim = await openSimulation(counts);
  const scope = new Scope('bench');
  const disk = await sim.run(attach(sim, byDma, scope));
  const results: [string, number][] = [];
  for (const [name, work] of Object.entries(works)) {
    await sim.run(work(disk)); // The first command selects the device.
    Object.assign(counts, { registers: 0, commands: 0 });
    await sim.run(work(disk));
    if (counts.commands !== 1) throw new Error(`${name}: ${counts.commands} commands`);
    results.push([name, counts.registers]);
  }
  await sim.run(scope.close());
  await sim.close();
  return results;
}

async function openSimulation(counts: { registers: number; commands: number }): Promise<Simulation> {
  // QEMU's disk takes a command at once: waiting for one that does not would be counted, too.
  const disks = [{ sizeMiB: DISK_MIB, timing: { commandUs: 0.001 } }];
  const parsed = await ataModel.options['~standard'].validate({ disks });
  if (parsed.issues !== undefined) throw new Error('the model refuses its options');
  const create: typeof ataModel.create = async (...words) => counting(await ataModel.create(...words), counts);
  return simulate({ ...ataModel, create }, parsed.value, { pace: 'manual' });
}

function counting<Model extends DeviceModel>(model: Model, counts: { registers: number; commands: number }): Model {
  const { read, write } = model;
  const count = (space: string, offset: number) => {
    if (space !== 'command0' || offset !== 0) counts.registers++;
  };
  return Object.assign(model, {
    read: (space: string, offset: number, width: 8 | 16 | 32) => {
      count(space, offset);
      return read.call(model, space, offset, width);
    },
    write: (space: string, offset: number, width: 8 | 16 | 32, value: number) => {
      count(space, offset);
      if (space === 'command0' && offset === COMMAND) counts.commands++;
      write.call(model, space, offset, width, value);
    },
  });
}

async function attach(sim: Simulation, byDma: boolean, scope: Scope): Promise<BlockDevice> {
  const services = new ServiceDirectory();
  const handles = {
    command0: sim.space('command0'),
    control0: sim.space('control0'),
    irq0: sim.interrupt(0),
    command1: undefined,
    control1: undefined,
    irq1: undefined,
    busMaster: byDma ? sim.space('busMaster') : undefined,
    dma: byDma ? sim.device.openDma() : undefined,
  };
  const environment = { name: 'ata0', clock: sim.clock, log: SILENT, services, simulated: true };
  await ataSff.attach({ ...handles, ...environment }, ataOptions.parse({}), scope);
  return services.get(BLOCK_DEVICE, 'disk0');
}
