import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceError, type DeviceErrorCode } from '@ring3/core';
import type { CheckedDevice } from '@ring3/rig';
import type { DeviceSummary } from '../running-rig.ts';
import { STOP_GRACE_MS, stopUs } from '../stop-timeout.ts';
import { describeWhere } from '../summary.ts';
import { Backoff } from './backoff.ts';
import { Child, type ChildEnd, describeEnd, STARTING_STOP_MS } from './child.ts';
import { ClaimedHardware, type HardwareSurroundings } from './claimed-hardware.ts';
import type { FromChild } from './messages.ts';

/** What a {@link SupervisedDevice} gets from the supervisor. */
export interface Surroundings extends HardwareSurroundings {
  readonly runtimeDirectory: string;
  /** A new host serves on this socket: tell the front. */
  readonly serving: (device: string, generation: number, socket: string) => void;
}

/** One device and the process that runs its driver: started, watched, started again. */
export class SupervisedDevice {
  readonly device: CheckedDevice;
  readonly #around: Surroundings;
  readonly #socket: string;
  readonly #hardware: ClaimedHardware;
  readonly #backoff = new Backoff();
  #host: Child | undefined;
  #generation = 0;
  #state: DeviceSummary['state'] = 'restarting';
  #stopping = false;
  #hasServed = false;
  #lastFailure: { code: DeviceErrorCode | undefined; message: string } | undefined;
  #restart: NodeJS.Timeout | undefined;
  #readyAtMs: number | undefined;

  constructor(device: CheckedDevice, around: Surroundings) {
    this.device = device;
    this.#socket = join(around.runtimeDirectory, `${device.name}.host`);
    this.#around = around;
    this.#hardware = new ClaimedHardware(device, around);
  }

  /**
   * Keeps the device from every other process of the machine until {@link stop}.
   * @throws DeviceError `busy` that names who has it.
   */
  claim(holder: string): Promise<void> {
    return this.#hardware.claim(holder);
  }

  /**
   * Starts the first host and waits until its driver is attached.
   * @throws DeviceError with what the driver said when it cannot attach: a first failure is told, not retried.
   */
  async start(): Promise<void> {
    const host = this.#spawn();
    const ready = new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
    const end = await Promise.race([ready, host.ended]);
    if (end !== undefined) {
      const failure = this.#lastFailure;
      throw new DeviceError(
        failure?.code ?? 'fault',
        failure?.message ?? `${this.device.name}: the device host ${describeEnd(end)}`,
      );
    }
  }

  /**
   * Stops the host in order, kills it when it takes longer than the driver declares, and releases the device, quiet.
   * @throws DeviceError when the driver did not come to rest.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    try {
      await this.#stopHost();
    } finally {
      await this.#hardware.release();
    }
  }

  async #stopHost(): Promise<void> {
    if (this.#host === undefined) return this.#removeSocket();
    const patienceMs = this.#readyAtMs === undefined ? STARTING_STOP_MS : stopUs(this.device) / 1000;
    const end = await this.#host.stop(patienceMs + 2 * STOP_GRACE_MS, () =>
      this.#around.log.error(`${this.device.name}: the device host did not stop in time and is killed`),
    );
    if (end.code === 0) return;
    this.#removeSocket();
    throw new DeviceError('fault', `${this.device.name}: the device host ${describeEnd(end)}`);
  }

  /** A host that was killed leaves it. One that never served may have met the socket of another runner. */
  #removeSocket(): void {
    if (this.#hasServed) rmSync(this.#socket, { force: true });
  }

  summary(): DeviceSummary {
    const { name, driver, description, backendType } = this.device;
    const pid = this.#host?.pid;
    return {
      name,
      driver: driver.name,
      backend: backendType,
      state: this.#state,
      where: describeWhere(description),
      simulated: description.simulated,
      ...(pid === undefined ? {} : { process: `device host ${pid}` }),
    };
  }

  #onReady: () => void = () => {};

  #spawn(): Child {
    this.#generation++;
    const generation = this.#generation;
    const { name } = this.device;
    const socket = this.#socket;
    const host = new Child({
      name,
      role: 'device-host',
      logArguments: this.#around.logArguments,
      heard: (message) => this.#hear(message, generation),
    });
    this.#host = host;
    this.#hardware.handOver();
    host.send({ kind: 'start-host', config: this.#around.config, device: name, generation, socket });
    void host.ended.then((end) => this.#ended(end));
    return host;
  }

  #hear(message: FromChild, generation: number): void {
    const { name } = this.device;
    if (message.kind === 'ready') {
      this.#state = 'running';
      this.#hasServed = true;
      this.#readyAtMs = performance.now();
      this.#around.serving(name, generation, this.#socket);
      this.#onReady();
    } else if (message.kind === 'failed') {
      this.#lastFailure = message;
    } else if (message.kind === 'at-rest') {
      this.#hardware.isAtRest();
    } else if (message.kind === 'gone') {
      this.#state = 'gone'; // The host has said why.
      this.#hardware.isAtRest();
    }
  }

  #ended(end: ChildEnd): void {
    this.#host = undefined;
    const firstAttempt = this.#generation === 1 && this.#state === 'restarting';
    if (this.#stopping || this.#state === 'gone' || firstAttempt) return;
    this.#state = 'restarting';
    const servedMs = this.#readyAtMs === undefined ? undefined : performance.now() - this.#readyAtMs;
    this.#readyAtMs = undefined;
    const pauseMs = this.#backoff.nextMs(servedMs);
    const why = this.#lastFailure?.message ?? `the device host ${describeEnd(end)}`;
    this.#lastFailure = undefined;
    this.#around.log.warn(`${this.device.name}: ${why}; it is started again in ${Math.round(pauseMs)} ms`, {
      failures: this.#backoff.failures,
    });
    const quiet = this.#hardware.makeQuiet();
    this.#restart = setTimeout(async () => {
      await quiet;
      if (!this.#stopping) this.#spawn();
    }, pauseMs);
  }
}
