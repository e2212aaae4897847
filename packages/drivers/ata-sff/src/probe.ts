/** Finds out which disks a channel has: presence, reset, signature, IDENTIFY, settings. */
import { DeviceError, isDeviceError } from '@ring3/core';
import { type AtaDevice, configure, type DeviceSettings, identify } from './ata-device.ts';
import type { Channel } from './channel.ts';
import { echoCommands } from './commands.ts';
import { describeRegisters } from './failure.ts';
import { STATUS } from './registers.ts';
import { breakOff, type DeviceClass, resetChannel } from './reset.ts';
import { isOccupied, type Position } from './task-file.ts';
import { waitWhileBusy } from './wait-ready.ts';

/** A device that spins up may be busy for this long after power-on (ATA/ATAPI-6 9.1). */
const POWER_ON_TIMEOUT_US = 31_000_000;
/** An empty bus with a pull-down on D7 (A1). */
const PULLED_DOWN = 0x7f;
const ECHO_ATTEMPTS = 3;
/** With a reset before each but the first, and more patience for IDENTIFY each time. */
const BRING_UP_ATTEMPTS = 3;

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
  const status = await startsUp(channel);
  if (status === undefined) await resetChannel(channel, positions);
  else if (isLeftInTransfer(status)) await breakOffTransfer(channel, status);
  const present = positions.filter((position) => echoes(channel, position));
  if (present.length === 0) {
    const status = describeRegisters(channel.taskFile.peek());
    channel.log.info(`${channel.name}: no device: nothing keeps what is written (${status})`);
  }
  return present;
}

/** A device that somebody left in the middle of a transfer takes no writes: it would look as if nobody were there. */
function isLeftInTransfer(status: number): boolean {
  return (status & STATUS.DRQ) !== 0 && status !== PULLED_DOWN;
}

async function breakOffTransfer(channel: Channel, status: number): Promise<void> {
  channel.log.info(
    `${channel.name}: somebody left it in the middle of a transfer (${describeRegisters(status)}); resetting`,
  );
  await breakOff(channel);
  await startsUp(channel);
}

/** Waits for a device that spins up. @returns its status, `undefined` when it is still busy. */
async function startsUp(channel: Channel): Promise<number | undefined> {
  try {
    return await waitWhileBusy(channel, { what: 'a device that starts', timeoutUs: POWER_ON_TIMEOUT_US });
  } catch (error) {
    if (!isDeviceError(error, 'timeout')) throw error;
    channel.log.warn(`${channel.name}: ${error.message}; resetting`);
    return undefined;
  }
}

function echoes({ taskFile }: Channel, position: Position): boolean {
  for (let attempt = 0; attempt < ECHO_ATTEMPTS; attempt++) {
    taskFile.select(position);
    if (!isOccupied(taskFile.peek()) && taskFile.echoes()) return true;
  }
  return false;
}

/**
 * Reading back before a command needs a device that shows what was written. One that shows nothing of it, or not every
 * bit, is not used: with a broken line in the address every command would go wrong.
 */
function checkReadBack(channel: Channel, position: Position, lba48: boolean): void {
  if (channel.verification === 'none') return;
  for (const command of echoCommands(lba48)) {
    const load = () => channel.taskFile.load(command, position, channel.verification);
    const seen = new Set(Array.from({ length: ECHO_ATTEMPTS }, load));
    if (seen.has('same')) continue;
    if (seen.has('different'))
      throw new DeviceError('fault', `device ${position} ${NO_READ_BACK}`, { details: { error: 0 } });
    channel.verifyCurrentOnly(`device ${position} does not show its previous registers (HOB)`);
  }
}

const NO_READ_BACK =
  'does not keep what is written to its registers; a broken line, or a bridge that hides them: then set verifyTaskFile to false';

async function bringUp(
  channel: Channel,
  position: Position,
  name: string,
  settings: DeviceSettings,
  present: readonly Position[],
): Promise<AtaDevice[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      const identity = await identify(channel, position, name, attempt);
      checkReadBack(channel, position, identity.lba48);
      return [await configure(channel, { name, position, identity }, settings)];
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      if (!worthAReset(error) || attempt === BRING_UP_ATTEMPTS - 1) {
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
