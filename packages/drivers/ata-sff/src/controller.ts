import {
  BLOCK_DEVICE,
  type Clock,
  DeviceError,
  type DmaAllocator,
  type InterruptSource,
  IoPortSpace,
  Lane,
  type Logger,
  type Publisher,
  type RegisterSpace,
  type Scope,
} from '@ring3/core';
import { BusMaster } from './bus-master.ts';
import { Channel, type ChannelStatistics } from './channel.ts';
import { AtaDisk } from './disk.ts';
import { prepareDma } from './dma-set-up.ts';
import { ErrorHandler } from './error-handler.ts';
import { dispatchInterrupt } from './interrupt-dispatch.ts';
import type { AtaOptions } from './options.ts';
import { probe } from './probe.ts';
import { COMMAND_BLOCK } from './registers.ts';
import type { Position } from './task-file.ts';
import { placeControl } from './task-file-bus.ts';

/** The registers and the interrupt of one channel. */
export interface ChannelHandles {
  readonly command: RegisterSpace;
  readonly control: RegisterSpace | undefined;
  readonly interrupt: InterruptSource | undefined;
}

/** All handles of the device. */
export interface ControllerHandles {
  readonly channels: readonly ChannelHandles[];
  readonly busMaster: RegisterSpace | undefined;
  readonly dma: DmaAllocator | undefined;
}

/** What the controller needs beside its channels. */
export interface ControllerEnvironment {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly services: Publisher;
  readonly simulated: boolean;
}

/** An attached controller, for those who look at it: its disks are used as published services. */
export class AtaController {
  readonly #channels: readonly Channel[];
  readonly #disks: readonly AtaDisk[];

  constructor(channels: readonly Channel[], disks: readonly AtaDisk[]) {
    this.#channels = channels;
    this.#disks = disks;
  }

  /** The disks that were found. */
  get disks(): readonly AtaDisk[] {
    return this.#disks;
  }

  /** The counters of each channel, by its name. */
  get statistics(): Readonly<Record<string, Readonly<ChannelStatistics>>> {
    return Object.fromEntries(this.#channels.map((channel) => [channel.name, { ...channel.statistics }]));
  }
}

const POSITIONS = { both: [0, 1], first: [0], second: [1] } as const satisfies Record<string, readonly Position[]>;

/** What all channels have in common. */
interface Common {
  readonly environment: ControllerEnvironment;
  readonly options: AtaOptions;
  readonly scope: Scope;
  readonly dma: DmaAllocator | undefined;
  /** Where only one channel may be active at a time. */
  readonly turns: Lane | undefined;
}

/** Brings both channels up at the same time and publishes their disks. */
export async function attachController(
  environment: ControllerEnvironment,
  { channels: handles, busMaster, dma }: ControllerHandles,
  options: AtaOptions,
  scope: Scope,
): Promise<AtaController> {
  const busMasters = bindBusMasters(busMaster);
  const channels = handles.map((each, index) =>
    createChannel(environment, { ...each, busMaster: busMasters[index] }, index, options),
  );
  dispatchInterrupt(
    channels.flatMap((channel, index) => ({ channel, source: handles[index]?.interrupt })),
    scope,
  );
  const turns = busMasters.some(({ simplex }) => simplex) ? new Lane() : undefined;
  const common = { environment, options, scope, dma, turns };
  const disks = await Promise.all(channels.map((channel, index) => bringUp(common, channel, index)));
  const found = disks.flat();
  if (found.length === 0) environment.log.warn(`${environment.name}: no disk was found`);
  return new AtaController(channels, found);
}

/** None where the registers read all ones: nothing answers there. */
function bindBusMasters(space: RegisterSpace | undefined): BusMaster[] {
  if (space === undefined) return [];
  return ([0, 1] as const).map((channel) => new BusMaster(space, channel)).filter(({ present }) => present);
}

function createChannel(
  environment: ControllerEnvironment,
  handles: ChannelHandles & { readonly busMaster: BusMaster | undefined },
  index: number,
  options: AtaOptions,
): Channel {
  const name = `${environment.name} channel ${index}`;
  const { clock, log } = environment;
  if (options.interrupts === 'required' && handles.interrupt === undefined) {
    throw new DeviceError(
      'config',
      `${name} has no interrupt, and the option interrupts is "required"; set it to "auto"`,
    );
  }
  checkSizes(name, handles, options);
  if (placeControl(handles.control?.sizeBytes, options) === undefined) {
    log.warn(`${name} has no control block: no reset, interrupts cannot be masked, 48-bit error addresses are unknown`);
  }
  return new Channel({ name, clock, log }, handles, {
    useInterrupts: options.interrupts !== 'polling' && handles.interrupt !== undefined,
    lostInterruptUs: options.lostInterruptSeconds * 1e6,
    verification: verifies(options, handles.command) ? 'both' : 'none',
    bus: options,
  });
}

/** @throws DeviceError `config` when the options place registers outside of what the device has. */
function checkSizes(name: string, { command, control }: ChannelHandles, options: AtaOptions): void {
  const { registerStride, controlOffset = 0 } = options;
  const inCommand = control === undefined ? controlOffset : 0;
  const last = Math.max(COMMAND_BLOCK.command.offset * registerStride, inCommand);
  for (const [space, offset] of [[command, last] as const, [control, controlOffset] as const]) {
    if (space === undefined || offset < space.sizeBytes) continue;
    const what = `registerStride ${registerStride} and controlOffset ${options.controlOffset ?? 'none'}`;
    throw new DeviceError('config', `${name}: ${what} need ${offset + 1} bytes of registers: ${space} has fewer`);
  }
}

/** By itself where no PCI bus with its parity lies between driver and device, or none that is known of. */
function verifies({ verifyTaskFile }: AtaOptions, command: RegisterSpace): boolean {
  return verifyTaskFile === 'auto' ? !(command instanceof IoPortSpace) : verifyTaskFile;
}

async function bringUp(common: Common, channel: Channel, index: number): Promise<AtaDisk[]> {
  const { environment, options, scope } = common;
  scope.defer(`${channel.name}: memory for DMA`, () => channel.releaseDma());
  scope.defer(`${channel.name}: interrupts masked`, () => channel.freeze());
  const devices = await probe(channel, {
    positions: POSITIONS[options.devices],
    nameOf: (position) => `disk${2 * index + position}`,
    multiple: options.multiple,
    writeCache: options.writeCache,
  });
  const handler = new ErrorHandler(channel, {
    retries: options.retries,
    timeoutUs: options.commandTimeoutSeconds * 1e6,
    flushTimeoutUs: options.flushTimeoutSeconds * 1e6,
  });
  const { readOnly, maxTransferBlocks } = options;
  const ways = prepareDma(common, channel, devices);
  for (const device of devices) {
    const dma = ways.get(device)?.use === true;
    const settings = { readOnly, maxTransferBlocks, simulated: environment.simulated, dma };
    handler.disks.push(new AtaDisk(device, channel, handler, settings));
  }
  if (devices.length > 0) channel.thaw();
  scope.defer(`${channel.name}: disks`, () => stop(channel, handler));
  for (const disk of handler.disks) {
    const way = ways.get(disk.device)?.words ?? '';
    disk.published(environment.services.publish(BLOCK_DEVICE, disk.name, disk));
    environment.log.info(describeDisk(channel, disk, way));
  }
  return handler.disks;
}

/** No new commands, the current one ends, the caches are emptied. */
async function stop(channel: Channel, handler: ErrorHandler): Promise<void> {
  handler.stop();
  await channel.queue.close(new DeviceError('closed', `${channel.name}: the driver stops`));
  const failures: unknown[] = [];
  for (const disk of handler.disks)
    await disk.close('the driver stops').catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function describeDisk(channel: Channel, { name, info, device }: AtaDisk, way: string): string {
  const gib = ((info.blockCount * info.blockSizeBytes) / 2 ** 30).toPrecision(3);
  const features = [
    device.identity.lba48 ? '48-bit' : '28-bit',
    device.multiple > 0 ? `${device.multiple} sectors per DRQ block` : 'one sector per DRQ block',
    info.volatileCache ? 'write cache on' : 'no write cache',
    channel.usesInterrupts ? 'by interrupt' : 'by polling',
    way,
  ];
  return `${channel.name}: ${name}: ${info.model} (${info.serial}), ${info.blockCount} blocks, ${gib} GiB, ${features.join(', ')}`;
}
