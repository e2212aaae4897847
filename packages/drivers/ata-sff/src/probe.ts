/** Finds out which disks a channel has: presence, reset, signature, IDENTIFY, settings. */
import { type DeviceError, isDeviceError } from '@ring3/core';
import { type AtaDevice, configure, type DeviceSettings, identify } from './ata-device.ts';
import type { Channel } from './channel.ts';
import { echoCommands } from './commands.ts';
import { describeRegisters } from './failure.ts';
import { STATUS } from './registers.ts';
import { type DeviceClass, resetChannel } from './reset.ts';
import type { Position } from './task-file.ts';
import { waitWhileBusy } from './wait-ready.ts';

/** A device that spins up may be busy for this long after power-on (ATA/ATAPI-6 9.1). */
const POWER_ON_TIMEOUT_US = 31_000_000;
const ECHO_ATTEMPTS = 3;

const CLASS_WORDS = {
  ata: 'a disk',
  packet: 'a packet device (ATAPI), not supported',
  none: 'none',
  unknown: 'none, or one without a signature',
  busy: 'busy for ever, not used',
} as const satisfies Record<DeviceClass, string>;

/** What to look for. */
export interface ProbeSettings extends DeviceSettings {
  readonly positions: readonly Position[];
  /** The name of the disk at a position. */
  readonly nameOf: (position: Position) => string;
}

/** Brings up the disks of a channel. What is not a disk, or does not answer in time, is logged and left out. */
export async function probe(channel: Channel, settings: ProbeSettings): Promise<AtaDevice[]> {
  try {
    const present = await presentDevices(channel, settings.positions);
    if (present.length === 0) return [];
    const classes = await resetChannel(channel, present);
    const devices: AtaDevice[] = [];
    for (const position of present) {
      const name = settings.nameOf(position);
      if (classes[position] === 'ata') devices.push(...(await bringUp(channel, position, name, settings, present)));
      else channel.log.info(`${channel.name}: device ${position}: ${CLASS_WORDS[classes[position]]}`);
    }
    return withoutGhosts(channel, devices);
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    channel.log.info(`${channel.name}: no device: ${error.message}`);
    return [];
  }
}

/** The devices that keep what is written to them. */
async function presentDevices(channel: Channel, positions: readonly Position[]): Promise<Position[]> {
  channel.freeze();
  if (!(await startsUp(channel))) await resetChannel(channel, positions);
  const present = positions.filter((position) => echoes(channel, position));
  if (present.length === 0) {
    const status = describeRegisters(channel.taskFile.peek());
    channel.log.info(`${channel.name}: no device: nothing keeps what is written (${status})`);
  }
  return present;
}

/** Waits for a device that spins up. @returns false when it is still busy. */
async function startsUp(channel: Channel): Promise<boolean> {
  try {
    await waitWhileBusy(channel, { what: 'a device that starts', timeoutUs: POWER_ON_TIMEOUT_US });
    return true;
  } catch (error) {
    if (!isDeviceError(error, 'timeout')) throw error;
    channel.log.warn(`${channel.name}: ${error.message}; resetting`);
    return false;
  }
}

function echoes({ taskFile }: Channel, position: Position): boolean {
  for (let attempt = 0; attempt < ECHO_ATTEMPTS; attempt++) {
    taskFile.select(position);
    if ((taskFile.peek() & (STATUS.BSY | STATUS.DRQ)) === 0 && taskFile.echoes()) return true;
  }
  return false;
}

/** Reading back before a command needs a device that shows what was written; bridges exist that do not. */
function tryReadBack(channel: Channel, position: Position, lba48: boolean): void {
  for (const command of echoCommands(lba48)) {
    const attempts = Array.from({ length: ECHO_ATTEMPTS }, () => channel.taskFile.load(command, position, true).same);
    if (!attempts.includes(true)) channel.stopVerifying(`device ${position} does not show what was written`);
  }
}

async function bringUp(
  channel: Channel,
  position: Position,
  name: string,
  settings: DeviceSettings,
  present: readonly Position[],
): Promise<AtaDevice[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      const identity = await identify(channel, position, name);
      tryReadBack(channel, position, identity.lba48);
      return [await configure(channel, { name, position, identity }, settings)];
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      if (!worthAReset(error) || attempt > 0) {
        channel.log.warn(`${channel.name}: device ${position} is not used as a disk: ${error.message}`);
        return [];
      }
      channel.log.warn(`${channel.name}: resetting for another try: ${error.message}`);
      await resetChannel(channel, present);
    }
  }
}

/** Silence and broken protocol may be cured by a reset; a refusal (A2, A24) and nonsense are answers. */
function worthAReset(error: DeviceError): boolean {
  return error.code === 'timeout' || (error.code === 'fault' && error.details['error'] === 0);
}

/** Device 0 of some channels answers for device 1 in every register: two disks with one serial number are one. */
function withoutGhosts(channel: Channel, devices: AtaDevice[]): AtaDevice[] {
  const [first, second] = devices;
  if (first === undefined || second === undefined) return devices;
  const same = first.identity.serial === second.identity.serial && first.identity.model === second.identity.model;
  if (!same || first.identity.serial === '') return devices;
  channel.log.warn(
    `${channel.name}: device 1 is a ghost of device 0: both are ${first.identity.model} ${first.identity.serial}`,
  );
  return [first];
}
