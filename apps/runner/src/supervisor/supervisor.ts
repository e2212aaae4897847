import { DeviceError, type Logger } from '@ring3/core';
import { type CheckedConfig, type ConfigSource, holderName } from '@ring3/rig';
import { inWords } from '../end-on-defect.ts';
import { announce, notPublished } from '../export-set.ts';
import type { ExportSummary, RunningRig, StartOptions } from '../running-rig.ts';
import { provideRuntimeDirectory } from '../runtime-directory.ts';
import { longestStopUs, STOP_GRACE_MS } from '../stop-timeout.ts';
import { Child, describeEnd } from './child.ts';
import type { FromChild } from './messages.ts';
import { SupervisedDevice } from './supervised-device.ts';

/** What a supervisor is to run. */
export interface Order {
  readonly config: CheckedConfig;
  /** Where the configuration was read from: the processes that are started read it again. */
  readonly source: ConfigSource;
  readonly log: Logger;
  /** Options of the command line, so that all processes log alike. */
  readonly logArguments: readonly string[];
}

/**
 * Starts a front and a device host per device, and keeps them running. The supervisor holds the control plane and
 * never moves data.
 */
export async function runSupervised(order: Order, { signal, waiting }: StartOptions): Promise<RunningRig> {
  const supervisor = new Supervisor(order);
  try {
    signal.addEventListener('abort', () => supervisor.fail(signal.reason));
    await supervisor.start(waiting);
    signal.throwIfAborted();
  } catch (error) {
    await supervisor
      .stop(() => {})
      .catch((failure: unknown) => {
        if (signal.aborted) throw failure;
        order.log.error(inWords(failure));
      });
    throw error;
  }
  return supervisor;
}

class Supervisor implements RunningRig {
  readonly failed: Promise<never>;
  readonly #config: CheckedConfig;
  readonly #source: ConfigSource;
  readonly #log: Logger;
  readonly #logArguments: readonly string[];
  readonly #runtimeDirectory: string;
  readonly #devices: readonly SupervisedDevice[];
  readonly #exports = new Map<string, ExportSummary>();
  readonly #published = new Set<string>();
  readonly #connected = new Map<string, () => void>();
  #front: Child | undefined;
  #stopping = false;
  #frontReady: () => void = () => {};
  readonly #frontListens = new Promise<void>((resolve) => {
    this.#frontReady = resolve;
  });
  /** Ends it all: {@link failed} rejects. */
  fail: (error: unknown) => void = () => {};
  #waiting: (what: string) => void = () => {};

  constructor({ config, source, log, logArguments }: Order) {
    this.#config = config;
    this.#source = source;
    this.#log = log;
    this.#logArguments = logArguments;
    this.#runtimeDirectory = provideRuntimeDirectory(config.name, config.runtimeDirectory);
    this.failed = new Promise((_, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => {});
    // Not before the front listens: a message that nobody hears is lost.
    const serving = (device: string, generation: number, socket: string) =>
      void this.#frontListens.then(() => this.#front?.send({ kind: 'connect', device, generation, socket }));
    const around = { config: source, runtimeDirectory: this.#runtimeDirectory, log, logArguments, serving };
    this.#devices = config.devices.map((device) => new SupervisedDevice(device, around));
  }

  async start(waiting: (what: string) => void): Promise<void> {
    for (const device of this.#devices) await device.claim(holderName(this.#config, device.device));
    this.#startFront();
    const connected = this.#config.devices.map(
      ({ name }) => new Promise<void>((resolve) => this.#connected.set(name, resolve)),
    );
    for (const device of this.#devices) {
      waiting(`the driver of ${device.device.name} to attach`);
      await Promise.race([device.start(), this.failed]);
    }
    waiting('the exports to start');
    await Promise.race([Promise.all(connected), this.failed]);
    for (const { service } of this.#config.exports) {
      if (!this.#exports.has(service)) this.#log.warn(notPublished(service, [...this.#published]));
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
    await this.#stopFront();
    waiting('the drivers to stop');
    const failures: unknown[] = [];
    for (const device of [...this.#devices].reverse()) {
      await device.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new DeviceError('fault', failures.map(inWords).join('; '));
  }

  hurry(): void {
    this.#front?.send({ kind: 'hurry' });
  }

  #startFront(): void {
    const front = new Child({
      name: 'front',
      role: 'front',
      logArguments: this.#logArguments,
      heard: (message) => this.#hear(message),
    });
    this.#front = front;
    front.send({ kind: 'start-front', config: this.#source, runtimeDirectory: this.#runtimeDirectory });
    void front.ended.then((end) => {
      if (!this.#stopping)
        this.fail(new DeviceError('fault', `the front, which holds all clients, ${describeEnd(end)}`));
    });
  }

  async #stopFront(): Promise<void> {
    const patienceMs = longestStopUs(this.#config) / 1000 + 2 * STOP_GRACE_MS;
    await this.#front?.stop(patienceMs, () => this.#log.error('the front did not stop in time and is killed'));
  }

  #hear(message: FromChild): void {
    if (message.kind === 'ready') this.#frontReady();
    else if (message.kind === 'exported') {
      this.#exports.set(message.export.service, message.export);
      announce(this.#log)(message.export.service, message.export, '');
    } else if (message.kind === 'withdrawn') {
      this.#exports.delete(message.service);
      announce(this.#log)(message.service, undefined, message.reason);
    } else if (message.kind === 'connected') {
      for (const service of message.services) this.#published.add(service);
      this.#connected.get(message.device)?.();
    } else if (message.kind === 'waiting') this.#waiting(message.what);
    else if (message.kind === 'failed') this.fail(new DeviceError(message.code ?? 'fault', message.message));
  }
}
