/** One disk as the driver knows it: IDENTIFY, and the settings that a reset may lose. */
import { DeviceError, isDeviceError } from '@ring3/core';
import type { Channel } from './channel.ts';
import {
  type Command,
  eightBitCommand,
  identifyCommand,
  setMultipleCommand,
  spinUpCommand,
  transferModeCommand,
  writeCacheCommand,
} from './commands.ts';
import { isSameMode } from './dma-choice.ts';
import { type Failure, failureToError } from './failure.ts';
import { type DiskIdentity, type DmaMode, decodeIdentify, IDENTIFY_BYTES } from './identify.ts';
import { SIGNATURE } from './registers.ts';
import type { Position } from './task-file.ts';

/** What the configuration wants of a disk. */
export interface DeviceSettings {
  readonly multiple: boolean;
  readonly writeCache: 'keep' | 'on' | 'off';
  /** The transfer mode to which the controller's timing belongs; default: whatever is selected. */
  readonly dmaMode?: DmaMode | undefined;
}

/** A disk at its place, with the settings that are in force. */
export interface AtaDevice {
  readonly name: string;
  readonly position: Position;
  readonly identity: DiskIdentity;
  /** Sectors of a DRQ block; 0: the commands without MULTIPLE. */
  readonly multiple: number;
}

const IDENTIFY_ATTEMPTS = 3;
const ALL_PATIENCE = 2;

/**
 * Reads and decodes IDENTIFY DEVICE; again when the checksum is wrong or the device broke the protocol.
 * @param patience how long the device may take: 0 to 2, one more after each reset.
 * @throws DeviceError `unsupported` for what is no disk of ours, otherwise as the last attempt failed.
 */
export async function identify(
  channel: Channel,
  position: Position,
  name: string,
  patience = 0,
): Promise<DiskIdentity> {
  // The mode is lost with every reset, and IDENTIFY data come in it.
  if (channel.taskFile.dataWidth === 8) await setEightBit(channel, position, name);
  let seen: Uint8Array | undefined;
  let failed: DeviceError | undefined;
  for (let attempt = 0; attempt < IDENTIFY_ATTEMPTS; attempt++) {
    const data = new Uint8Array(IDENTIFY_BYTES);
    const { failure } = await channel.execute(identifyCommand(patience), position, data);
    if (failure !== undefined) {
      failed = identifyError(name, failure);
      if (failure.stuck || failure.kind === 'error' || failure.kind === 'gone') break;
      continue;
    }
    try {
      const identity = decodeIdentify(data);
      const again = seen;
      if (identity.checksum !== 'wrong') return await spinning(channel, position, name, identity);
      if (again !== undefined && data.every((byte, index) => byte === again[index]))
        return keepWrongChecksum(channel, name, identity);
      seen = data;
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      failed = new DeviceError(error.code, `${name}: ${error.message}`, { cause: error });
    }
  }
  throw (
    failed ??
    new DeviceError('unsupported', `${name}: IDENTIFY DEVICE: the checksum is wrong each time; not used as a disk`)
  );
}

async function setEightBit(channel: Channel, position: Position, name: string): Promise<void> {
  const { failure } = await channel.execute(eightBitCommand(), position);
  if (failure !== undefined) throw identifyError(name, failure);
}

function keepWrongChecksum(channel: Channel, name: string, identity: DiskIdentity): DiskIdentity {
  channel.log.warn(
    `${channel.name}: ${name}: the checksum of IDENTIFY DEVICE is wrong, the data the same each time: used`,
  );
  return identity;
}

/** A packet device refuses IDENTIFY DEVICE and leaves its signature (ATA/ATAPI-6 8.15.5.2). */
function identifyError(name: string, failure: Failure): DeviceError {
  const { signature } = failure;
  if (signature?.lbaMid === SIGNATURE.PACKET.lbaMid && signature.lbaHigh === SIGNATURE.PACKET.lbaHigh) {
    return new DeviceError('unsupported', `${name}: a packet device (ATAPI); only disks are supported`);
  }
  return failureToError(name, failure);
}

/** A device in power-up in standby gives half of its IDENTIFY data until it is told to spin. */
async function spinning(
  channel: Channel,
  position: Position,
  name: string,
  identity: DiskIdentity,
): Promise<DiskIdentity> {
  if (!identity.needsSpinUp) return identity;
  channel.log.info(`${channel.name}: ${name} is in standby; telling it to spin up`);
  const { failure } = await channel.execute(spinUpCommand(), position);
  if (failure !== undefined) throw failureToError(name, failure);
  const data = new Uint8Array(IDENTIFY_BYTES);
  const again = await channel.execute(identifyCommand(ALL_PATIENCE), position, data);
  if (again.failure !== undefined) throw failureToError(name, again.failure);
  return decodeIdentify(data);
}

/**
 * Sets write cache, multiple mode and a transfer mode that a reset has lost, and asks the device what it took: a setting that was lost on its way is not in force.
 * @throws DeviceError when the device does not answer; a setting that it refuses is logged and left out.
 */
export async function configure(
  channel: Channel,
  { name, position, identity }: Omit<AtaDevice, 'multiple'>,
  settings: DeviceSettings,
): Promise<AtaDevice> {
  const { writeCache, maxMultiple } = identity;
  const wantsCache = settings.writeCache === 'keep' ? writeCache.enabled : settings.writeCache === 'on';
  // A cache that cannot be emptied is worse than none.
  const cache = wantsCache && (identity.flush || identity.flushExt);
  const set = (command: Command) => change(channel, name, position, command);
  let changed = false;
  if (writeCache.supported && cache !== writeCache.enabled) changed = await set(writeCacheCommand(cache));
  if (settings.multiple && maxMultiple > 1) changed = (await set(setMultipleCommand(maxMultiple))) || changed;
  if (settings.dmaMode !== undefined && !isSameMode(identity.dmaMode, settings.dmaMode))
    changed = (await set(transferModeCommand(settings.dmaMode))) || changed;
  const now = changed ? await identify(channel, position, name, ALL_PATIENCE) : identity;
  const multiple = settings.multiple && now.currentMultiple <= maxMultiple ? now.currentMultiple : 0;
  return { name, position, identity: now, multiple: multiple > 1 ? multiple : 0 };
}

async function change(channel: Channel, name: string, position: Position, command: Command): Promise<boolean> {
  const { failure } = await channel.execute(command, position);
  if (failure === undefined) return true;
  if (failure.kind !== 'error' || failure.stuck) throw failureToError(name, failure);
  channel.log.info(`${channel.name}: ${name} refuses a setting, going on without it: ${failure.words}`);
  return false;
}
