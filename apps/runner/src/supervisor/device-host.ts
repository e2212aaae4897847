import { isDeviceError, type Logger } from '@ring3/core';
import {
  openCheckedRig,
  quiesceDevice,
  type Rig,
  readConfig,
  type ServiceServer,
  serveServices,
  WIRES,
} from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { inWords } from '../end-on-defect.ts';
import { EXIT } from '../exit-code.ts';
import { inTime } from '../in-time.ts';
import { longestStopUs, quietMs, STOP_GRACE_MS } from '../stop-timeout.ts';
import { firstMessage, type Rest, ruleChild, tell } from './child.ts';
import type { ToChild } from './messages.ts';

type Order = Extract<ToChild, { kind: 'start-host' }>;
type QuiesceOrder = Extract<ToChild, { kind: 'quiesce' }>;

/**
 * The process of one device: runs its driver and backend and serves what the driver provides on a socket. Or the one
 * that comes after it, when the driver has died, and makes the device quiet.
 */
export async function runDeviceHost(log: Logger): Promise<void> {
  const host = new DeviceHost(log);
  const rest = ruleChild(log, () => host.stop('the driver failed'));
  const order = await firstMessage();
  if (order.kind === 'quiesce') return quiesce(order, rest, log);
  if (order.kind !== 'start-host') throw new Error(`a device host cannot begin with ${order.kind}`);
  try {
    await host.start(order);
    rest.limitMs = host.stopMs;
    await tell({ kind: 'ready' });
    await host.stop(await rest.stopped);
    process.exit(EXIT.ok);
  } catch (error) {
    await tellFailure(error);
    await host.stop('the driver failed').catch((failure: unknown) => log.error(inWords(failure)));
    process.exit(EXIT.software);
  }
}

async function quiesce({ config: source, device: name }: QuiesceOrder, rest: Rest, log: Logger): Promise<void> {
  try {
    const config = await readConfig(source, loaderFor(source));
    const device = config.devices.find((candidate) => candidate.name === name);
    if (device === undefined) throw new Error(`the configuration has no device "${name}" any more`);
    rest.limitMs = quietMs(device);
    await tell({ kind: 'ready' });
    await inTime(quiesceDevice(device, log), rest.limitMs * 1000, 'it did not become quiet');
    process.exit(EXIT.ok);
  } catch (error) {
    await tellFailure(error);
    process.exit(EXIT.software);
  }
}

function tellFailure(error: unknown): Promise<void> {
  return tell({ kind: 'failed', code: isDeviceError(error) ? error.code : undefined, message: inWords(error) });
}

class DeviceHost {
  readonly #log: Logger;
  #rig: Promise<Rig> | undefined;
  #server: ServiceServer | undefined;
  stopMs = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  async start({ config: source, device, generation, socket }: Order): Promise<void> {
    const log = this.#log;
    const config = await readConfig(source, loaderFor(source));
    this.stopMs = longestStopUs(config) / 1000 + STOP_GRACE_MS;
    this.#rig = openCheckedRig(config, { log, only: [device], claimedElsewhere: true });
    const rig = await this.#rig;
    for (const { gone } of rig.devices) void gone.then((reason) => tell({ kind: 'gone', reason }));
    this.#server = await serveServices(rig.services, { socket, device, generation, wires: WIRES, log });
  }

  /** The server first: what a stopping driver withdraws would not come back. */
  async stop(reason: string): Promise<void> {
    await this.#server?.close(reason);
    const rig = await this.#rig?.catch(() => undefined); // A rig that did not open has released everything.
    await rig?.close();
    await tell({ kind: 'at-rest' });
  }
}
