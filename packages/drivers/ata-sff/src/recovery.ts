/** What the error handler does to a channel: freeze, drain, reset, look again who is there, settings, thaw. */
import { DeviceError, isDeviceError } from '@ring3/core';
import { configure, identify } from './ata-device.ts';
import type { Channel } from './channel.ts';
import type { AtaDisk } from './disk.ts';
import { STATUS } from './registers.ts';
import { resetChannel } from './reset.ts';

/** Several devices lock up when the data port is touched after a reset with DRQ set, so it is emptied before. */
const DRAIN_LIMIT_BYTES = 64 * 1024;
const DRAIN_STEP_BYTES = 512;
/** Each with more patience for IDENTIFY. */
const ROUNDS = 3;

/**
 * Brings a channel back to work. A reset hits both devices, so both are looked at again; a disk that does not come back,
 * or that is another one now, is taken offline.
 */
export async function recover(channel: Channel, disks: readonly AtaDisk[], drain: boolean): Promise<void> {
  try {
    channel.freeze();
    if (drain) drainData(channel);
    for (let round = 0; round < ROUNDS; round++) {
      const reasons = await resetAndRevalidate(channel, disks, round);
      if (reasons.size === 0) break;
      for (const [disk, reason] of reasons)
        if (round === ROUNDS - 1 || reason.code === 'gone') disk.takeOffline(reason);
    }
    if (disks.some((disk) => !disk.offline)) channel.thaw();
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    for (const disk of disks) disk.takeOffline(error);
  }
}

/** @returns the disks that did not come back, with the reason. */
async function resetAndRevalidate(
  channel: Channel,
  disks: readonly AtaDisk[],
  patience: number,
): Promise<Map<AtaDisk, DeviceError>> {
  const expected = disks.filter((disk) => !disk.offline);
  const reasons = new Map<AtaDisk, DeviceError>();
  if (expected.length === 0) return reasons;
  const classes = await resetChannel(
    channel,
    expected.map((disk) => disk.position),
  );
  for (const disk of expected) {
    const found = classes[disk.position];
    const failed = found === 'ata' ? await revalidate(channel, disk, patience) : notBack(disk, found);
    if (failed !== undefined) reasons.set(disk, failed);
  }
  return reasons;
}

function notBack(disk: AtaDisk, found: string): DeviceError {
  return new DeviceError('fault', `${disk.name} did not come back after the reset: it is ${found}`);
}

/** Reads the data that a broken-off command still offers, up to 64 KiB. */
function drainData({ taskFile, log, name }: Channel): void {
  const offersData = () => (taskFile.peek() & (STATUS.BSY | STATUS.DRQ)) === STATUS.DRQ;
  const junk = new Uint8Array(DRAIN_STEP_BYTES);
  let drained = 0;
  for (; drained < DRAIN_LIMIT_BYTES && offersData(); drained += DRAIN_STEP_BYTES) taskFile.readData(junk);
  if (drained > 0)
    log.info(`${name}: drained ${drained} bytes before the reset; DRQ is ${offersData() ? 'still set' : 'clear'}`);
}

/** The same disk as before, with the settings as before? @returns why not. */
async function revalidate(channel: Channel, disk: AtaDisk, patience: number): Promise<DeviceError | undefined> {
  const { name, position, identity: known } = disk.device;
  try {
    const identity = await identify(channel, position, name, patience);
    if (
      identity.serial !== known.serial ||
      identity.model !== known.model ||
      identity.sectorCount !== known.sectorCount
    ) {
      const now = `${identity.model} ${identity.serial}, ${identity.sectorCount} sectors`;
      return new DeviceError('gone', `${name}: another disk answers in its place: ${now}`);
    }
    const writeCache = disk.info.volatileCache ? 'on' : 'off';
    const device = await configure(
      channel,
      { name, position, identity },
      { writeCache, multiple: disk.device.multiple > 0, dmaMode: disk.dmaMode },
    );
    if (device.identity.writeCache.enabled && !disk.info.volatileCache) {
      return new DeviceError(
        'fault',
        `${name}: the write cache is on after the reset and cannot be switched off again`,
      );
    }
    disk.device = device;
    return undefined;
  } catch (error) {
    if (isDeviceError(error)) return error;
    throw error;
  }
}
