import {
  BLOCK_DEVICE,
  type Clock,
  DeviceError,
  type InterruptSource,
  type Logger,
  type Publisher,
  type RegisterSpace,
  type Scope,
} from '@ring3/core';
import { Channel, type ChannelStatistics } from './channel.ts';
import { AtaDisk } from './disk.ts';
import { ErrorHandler } from './error-handler.ts';
import { dispatchInterrupt } from './interrupt-dispatch.ts';
import type { AtaOptions } from './options.ts';
import { probe } from './probe.ts';
import type { Position } from './task-file.ts';

/** The registers and the interrupt of one channel. */
export interface ChannelHandles {
  readonly command: RegisterSpace;
  readonly control: RegisterSpace | undefined;
  readonly interrupt: InterruptSource | undefined;
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

/** Brings both channels up at the same time and publishes their disks. */
export async function attachController(
  environment: ControllerEnvironment,
  handles: readonly ChannelHandles[],
  options: AtaOptions,
  scope: Scope,
): Promise<AtaController> {
  const channels = handles.map((each, index) => createChannel(environment, each, index, options));
  dispatchInterrupt(
    channels.flatMap((channel, index) => ({ channel, source: handles[index]?.interrupt })),
    scope,
  );
  const disks = await Promise.all(
    channels.map((channel, index) => bringUp(environment, channel, index, options, scope)),
  );
  const found = disks.flat();
  if (found.length === 0) environment.log.warn(`${environment.name}: no disk was found`);
  return new AtaController(channels, found);
}

function createChannel(
  environment: ControllerEnvironment,
  handles: ChannelHandles,
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
  if (handles.control === undefined) {
    log.warn(`${name} has no control block: no reset, interrupts cannot be masked, 48-bit error addresses are unknown`);
  }
  return new Channel({ name, clock, log }, handles, {
    useInterrupts: options.interrupts !== 'polling' && handles.interrupt !== undefined,
    lostInterruptUs: options.lostInterruptSeconds * 1e6,
    verification: options.verifyTaskFile ? 'both' : 'none',
  });
}

async function bringUp(
  environment: ControllerEnvironment,
  channel: Channel,
  index: number,
  options: AtaOptions,
  scope: Scope,
): Promise<AtaDisk[]> {
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
  const settings = { readOnly, maxTransferBlocks, simulated: environment.simulated };
  handler.disks.push(...devices.map((device) => new AtaDisk(device, channel, handler, settings)));
  if (devices.length > 0) channel.thaw();
  scope.defer(`${channel.name}: disks`, () => stop(channel, handler));
  for (const disk of handler.disks) {
    disk.published(environment.services.publish(BLOCK_DEVICE, disk.name, disk));
    environment.log.info(describeDisk(channel, disk));
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

function describeDisk(channel: Channel, { name, info, device }: AtaDisk): string {
  const gib = ((info.blockCount * info.blockSizeBytes) / 2 ** 30).toPrecision(3);
  const features = [
    device.identity.lba48 ? '48-bit' : '28-bit',
    device.multiple > 0 ? `${device.multiple} sectors per DRQ block` : 'one sector per DRQ block',
    info.volatileCache ? 'write cache on' : 'no write cache',
    channel.usesInterrupts ? 'by interrupt' : 'by polling',
  ];
  return `${channel.name}: ${name}: ${info.model} (${info.serial}), ${info.blockCount} blocks, ${gib} GiB, ${features.join(', ')}`;
}
