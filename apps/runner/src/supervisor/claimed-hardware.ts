import type { DeviceClaim, Logger } from '@ring3/core';
import { type CheckedDevice, type ConfigSource, claimDevice } from '@ring3/rig';
import { quietMs, STOP_GRACE_MS } from '../stop-timeout.ts';
import { Child, describeEnd } from './child.ts';

/** How long a process may take to start on a slow board that is busy, before it touches the device. */
const STARTING_MS = 60_000;

/** What {@link ClaimedHardware} gets from the supervisor. */
export interface HardwareSurroundings {
  readonly config: ConfigSource;
  readonly log: Logger;
  readonly logArguments: readonly string[];
}

/**
 * A device in the supervisor's hands: claimed against the rest of the machine through all lives of its driver, and made
 * quiet after a driver that died before anybody else gets it.
 */
export class ClaimedHardware {
  readonly #device: CheckedDevice;
  readonly #around: HardwareSurroundings;
  /** Missing for hardware that dies with the process of its driver: there is nothing to hold and nothing to quiet. */
  #claim: DeviceClaim | undefined;
  /** A driver had it and has not said that it brought it to rest. */
  #isLoud = false;
  #quieting: Promise<void> = Promise.resolve();

  constructor(device: CheckedDevice, around: HardwareSurroundings) {
    this.#device = device;
    this.#around = around;
  }

  /** @throws DeviceError `busy` that names the holder. */
  async claim(holder: string): Promise<void> {
    this.#claim = await claimDevice(this.#device, holder);
  }

  /** From now on a driver may do anything to it. */
  handOver(): void {
    this.#isLoud = this.#claim !== undefined;
  }

  /** Its driver has brought it to rest, or it is gone. */
  isAtRest(): void {
    this.#isLoud = false;
  }

  /** Makes it quiet if its last driver did not. Takes limited time, and never rejects: what failed is in the log. */
  makeQuiet(): Promise<void> {
    this.#quieting = this.#quieting.then(() => (this.#isLoud ? this.#quiesce() : undefined));
    return this.#quieting;
  }

  /** Lets others have it, quiet. */
  async release(): Promise<void> {
    await this.makeQuiet();
    await this.#claim?.release();
    this.#claim = undefined;
  }

  /** In a process of its own: the supervisor opens no device, and a bus that stalls must not stall the supervisor. */
  async #quiesce(): Promise<void> {
    const { name } = this.#device;
    const { config, log, logArguments } = this.#around;
    const late = () => log.error(`${name}: making it quiet hangs and is killed`);
    let failure: string | undefined;
    const child = new Child({
      name,
      role: 'device-host',
      logArguments,
      heard: (message) => {
        if (message.kind === 'ready') void child.endsWithin(quietMs(this.#device) + STOP_GRACE_MS, late);
        if (message.kind === 'failed') failure = message.message;
      },
    });
    child.send({ kind: 'quiesce', config, device: name });
    const end = await child.endsWithin(STARTING_MS + quietMs(this.#device), late);
    this.#isLoud = false;
    if (end.code === 0) log.info(`${name}: was made quiet, since its driver died`);
    else log.error(`${name}: could not be made quiet after its driver died: ${failure ?? describeEnd(end)}`);
  }
}
