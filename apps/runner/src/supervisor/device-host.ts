import { isDeviceError, type Logger } from '@ring3/core';
import { openCheckedRig, type Rig, readConfig, serveServices, WIRES } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { EXIT } from '../exit-code.ts';
import { firstMessage, onStop, tell } from './child.ts';
import type { ToChild } from './messages.ts';

type Order = Extract<ToChild, { kind: 'start-host' }>;

/** The process of one device: runs its driver and backend and serves what the driver provides on a socket. */
export async function runDeviceHost(log: Logger): Promise<void> {
  const stopped = onStop();
  const order = await firstMessage();
  if (order.kind !== 'start-host') throw new Error(`a device host cannot begin with ${order.kind}`);
  let rig: Rig | undefined;
  try {
    const config = await readConfig(order.config, loaderFor(order.config));
    rig = await openCheckedRig(config, { log, only: [order.device] });
    await serveUntil(stopped, rig, order, log);
    process.exit(EXIT.ok);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await tell({ kind: 'failed', code: isDeviceError(error) ? error.code : undefined, message });
    await rig?.close().catch((failure: unknown) => log.error(String(failure)));
    process.exit(EXIT.software);
  }
}

async function serveUntil(stopped: Promise<string>, rig: Rig, order: Order, log: Logger): Promise<void> {
  const { device, generation, socket } = order;
  for (const { gone } of rig.devices) void gone.then((reason) => tell({ kind: 'gone', reason }));
  const server = await serveServices(rig.services, { socket, device, generation, wires: WIRES, log });
  await tell({ kind: 'ready' });
  const why = await stopped;
  // The server first: what a stopping driver withdraws would not come back.
  await server.close(why);
  await rig.close();
}
