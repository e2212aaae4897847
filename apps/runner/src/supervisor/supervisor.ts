import { DeviceError, type Logger } from '@ring3/core';
import type { CheckedConfig, ConfigSource } from '@ring3/rig';
import { announce } from '../run-inline.ts';
import type { ExportSummary, RunningRig } from '../running-rig.ts';
import { provideRuntimeDirectory } from '../runtime-directory.ts';
import { longestStopUs } from '../stop-timeout.ts';
import { Child, describeEnd } from './child.ts';
import type { FromChild } from './messages.ts';
import { SupervisedDevice } from './supervised-device.ts';

/**
 * Starts a front and a device host per device, and keeps them running. The supervisor holds the control plane and
 * never moves data.
 */
export async function runSupervised(config: CheckedConfig, source: ConfigSource, log: Logger): Promise<RunningRig> {
  const supervisor = new Supervisor(config, source, log);
  try {
    await supervisor.start();
  } catch (error) {
    await supervisor.stop(() => {}).catch(() => {});
    throw error;
  }
  return supervisor;
}

class Supervisor implements RunningRig {
  readonly failed: Promise<never>;
  readonly #config: CheckedConfig;
  readonly #source: ConfigSource;
  readonly #log: Logger;
  readonly #runtimeDirectory: string;
  readonly #devices: readonly SupervisedDevice[];
  readonly #exports = new Map<string, ExportSummary>();
  readonly #connected = new Map<string, () => void>();
  #front: Child | undefined;
  #stopping = false;
  #reject: (error: unknown) => void = () => {};
  #waiting: (what: string) => void = () => {};

  constructor(config: CheckedConfig, source: ConfigSource, log: Logger) {
    this.#config = config;
    this.#source = source;
    this.#log = log;
    this.#runtimeDirectory = provideRuntimeDirectory(config.name, config.runtimeDirectory);
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.failed.catch(() => {});
    const serving = (device: string, generation: number, socket: string) =>
      this.#front?.send({ kind: 'connect', device, generation, socket });
    const around = { config: source, runtimeDirectory: this.#runtimeDirectory, log, serving };
    this.#devices = config.devices.map((device) => new SupervisedDevice(device, around));
  }

  async start(): Promise<void> {
    this.#startFront();
    const connected = this.#config.devices.map(
      ({ name }) => new Promise<void>((resolve) => this.#connected.set(name, resolve)),
    );
    for (const device of this.#devices) await Promise.race([device.start(), this.failed]);
    await Promise.race([Promise.all(connected), this.failed]);
    for (const { service } of this.#config.exports) {
      if (!this.#exports.has(service)) this.#log.warn(`${service} is not exported: the driver has not published it`);
    }
  }

  devices() {
    return this.#devices.map((device) => device.summary());
  }

  exports() {
    return [...this.#exports.values()];
  }

  async stop(waiting: (what: string) => void): Promise<void> {
    this.#stopping = true;
    this.#waiting = waiting;
    const timeoutUs = longestStopUs(this.#config);
    await this.#stopFront(timeoutUs);
    waiting('the drivers to stop');
    for (const device of [...this.#devices].reverse()) await device.stop(timeoutUs);
  }

  hurry(): void {
    this.#front?.send({ kind: 'hurry' });
  }

  #startFront(): void {
    const front = new Child('front', 'front', (message) => this.#hear(message));
    this.#front = front;
    front.send({ kind: 'start-front', config: this.#source, runtimeDirectory: this.#runtimeDirectory });
    void front.ended.then((end) => {
      if (!this.#stopping)
        this.#reject(new DeviceError('fault', `the front, which holds all clients, ${describeEnd(end)}`));
    });
  }

  async #stopFront(timeoutUs: number): Promise<void> {
    const front = this.#front;
    if (front === undefined) return;
    front.send({ kind: 'stop', timeoutUs });
    const late = setTimeout(() => front.kill('SIGKILL'), timeoutUs / 1000);
    await front.ended;
    clearTimeout(late);
  }

  #hear(message: FromChild): void {
    if (message.kind === 'exported') {
      this.#exports.set(message.export.service, message.export);
      announce(this.#log)(message.export.service, message.export, '');
    } else if (message.kind === 'withdrawn') {
      this.#exports.delete(message.service);
      announce(this.#log)(message.service, undefined, message.reason);
    } else if (message.kind === 'connected') this.#connected.get(message.device)?.();
    else if (message.kind === 'waiting') this.#waiting(message.what);
    else if (message.kind === 'failed') this.#reject(new DeviceError(message.code ?? 'fault', message.message));
  }
}
