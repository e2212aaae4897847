/** Resets a channel and finds out what is on it: SRST, the waits after it, the signature (ATA/ATAPI-6 9.2 and 9.12). */
import { isDeviceError, sleep } from '@ring3/core';
import type { Channel } from './channel.ts';
import { DIAGNOSTIC, OPCODE, SIGNATURE, SIGNATURE_COUNT } from './registers.ts';
import { isOccupied, type Position } from './task-file.ts';
import { waitWhileBusy } from './wait-ready.ts';

/** What answers at a position after a reset. `unknown`: no signature. `busy`: BSY did not clear in time. */
export type DeviceClass = 'ata' | 'packet' | 'none' | 'unknown' | 'busy';

/** One class for each position. */
export type DeviceClasses = readonly [DeviceClass, DeviceClass];

/** How long devices may take after a reset, reset by reset: libata's patience, a minute in all. */
const STAGES_US = [10_000_000, 10_000_000, 35_000_000, 5_000_000];
/** The standard asks for 5 us. */
const SRST_HOLD_NS = 20_000;
/** Status is not valid at once after SRST; devices that answer too early exist. */
const AFTER_SRST_US = 150_000;
const DEVICE_1_PAUSE_US = 50_000;
const DEVICE_1_LOOKS = 2;

/**
 * Resets both devices of a channel and waits until those in `present` are ready, in up to four stages.
 * @throws DeviceError `gone` when nothing drives the bus.
 */
export async function resetChannel(channel: Channel, present: readonly Position[]): Promise<DeviceClasses> {
  let classes: DeviceClasses = ['none', 'none'];
  for (const [stage, timeoutUs] of STAGES_US.entries()) {
    channel.statistics.resets++;
    classes = await resetOnce(channel, present, timeoutUs);
    const open = present.filter((position) => classes[position] === 'busy' || classes[position] === 'unknown');
    if (open.length === 0) break;
    const states = open.map((position) => `device ${position} is ${classes[position]}`).join(', ');
    channel.log.warn(`${channel.name}: after reset ${stage + 1} of ${STAGES_US.length}: ${states}`);
  }
  return classes;
}

/** Ends whatever the devices of a channel are doing, without a look at who is there. */
export async function breakOff(channel: Channel): Promise<void> {
  if (channel.taskFile.hasControl) await softReset(channel);
  else await diagnostic(channel);
}

async function resetOnce(channel: Channel, present: readonly Position[], timeoutUs: number): Promise<DeviceClasses> {
  await breakOff(channel);
  const deadlineUs = channel.clock.nowUs() + timeoutUs;
  const first = present.includes(0) ? await settled(channel, 0, deadlineUs) : { class: 'none' as const, alone: false };
  if (!present.includes(1) || first.alone) return [first.class, 'none'];
  const second = await settled(channel, 1, deadlineUs);
  return [first.class, second.class];
}

async function softReset({ taskFile, clock }: Channel): Promise<void> {
  taskFile.setInterrupts(false);
  clock.spinNs(SRST_HOLD_NS);
  taskFile.setReset(true);
  clock.spinNs(SRST_HOLD_NS);
  taskFile.setReset(false);
  await sleep(clock, AFTER_SRST_US);
}

/** Without a control block there is no SRST; EXECUTE DEVICE DIAGNOSTIC makes both devices show their signatures too. */
async function diagnostic({ taskFile, clock }: Channel): Promise<void> {
  // Both devices obey whichever is selected; emulated ones may not.
  if (!isOccupied(taskFile.peek())) taskFile.select(0);
  taskFile.forgetSelection();
  taskFile.start(OPCODE.EXECUTE_DEVICE_DIAGNOSTIC);
  await sleep(clock, AFTER_SRST_US);
}

/** Waits for one device and reads its signature. `alone`: device 0 says that device 1 failed or is not there. */
async function settled(
  channel: Channel,
  position: Position,
  deadlineUs: number,
): Promise<{ class: DeviceClass; alone: boolean }> {
  const { taskFile, clock } = channel;
  const left = () => Math.max(deadlineUs - clock.nowUs(), 0);
  try {
    const ready = () => waitWhileBusy(channel, { what: `device ${position} after the reset`, timeoutUs: left() });
    // Device 0 is selected by the reset itself; while it is busy nothing may be written.
    if (position === 0) await ready();
    taskFile.select(position);
    const status = await ready();
    if (position === 1) await registersOfDevice1(channel);
    return classify(channel, position, status);
  } catch (error) {
    if (isDeviceError(error, 'timeout')) return { class: 'busy', alone: false };
    throw error;
  }
}

/** Device 1 may not answer at once; some never show the count, so not much time is spent on it. */
async function registersOfDevice1({ taskFile, clock }: Channel): Promise<void> {
  for (let look = 0; look < DEVICE_1_LOOKS; look++) {
    const { count, lbaLow } = taskFile.readResult('none');
    if (count === SIGNATURE_COUNT && lbaLow === SIGNATURE_COUNT) return;
    await sleep(clock, DEVICE_1_PAUSE_US);
  }
}

function classify(channel: Channel, position: Position, status: number): { class: DeviceClass; alone: boolean } {
  const { error, lbaMid, lbaHigh } = channel.taskFile.readResult('none');
  const alone = position === 0 && error === DIAGNOSTIC.DEVICE_1_FAILED;
  const is = (signature: { lbaMid: number; lbaHigh: number }) =>
    lbaMid === signature.lbaMid && lbaHigh === signature.lbaHigh;
  if (is(SIGNATURE.PACKET) || is(SIGNATURE.SATA_PACKET)) return { class: 'packet', alone };
  // Device 0 answers for a device 1 that is not there: with a status of zero, whatever else it shows (ATA/ATAPI-6 9.16.1).
  if (position === 1 && status === 0) return { class: 'none', alone };
  if (error !== DIAGNOSTIC.PASSED && !alone) {
    if (error !== DIAGNOSTIC.FAILED) return { class: 'unknown', alone };
    channel.log.warn(`${channel.name}: device ${position} did not pass its own diagnostic`);
  }
  if (!is(SIGNATURE.ATA) && !is(SIGNATURE.SATA)) return { class: 'unknown', alone };
  return { class: status === 0 ? 'none' : 'ata', alone };
}
