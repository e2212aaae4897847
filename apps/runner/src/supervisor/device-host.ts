import { isDeviceError, type Logger } from '@ring3/core';
import { openCheckedRig, type Rig, readConfig, type ServiceServer, serveServices, WIRES } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { EXIT } from '../exit-code.ts';
import { firstMessage, tell } from './child.ts';
import type { ToChild } from './messages.ts';

/** The process of one device: runs its driver and backend and serves what the driver provides on a socket. */
export async function runDeviceHost(log: Logger): Promise<void> {
  const order = await firstMessage();
  if (order.kind !== 'start-host') throw new Error(`a device host cannot begin with ${order.kind}`);
  try {
    const config = await readConfig(order.config, loaderFor(order.config));
    const rig = await openCheckedRig(config, { log, only: [order.device] });
    stopWhenTold(rig, await serve(rig, order, log), log);
    tell({ kind: 'ready' });
  } catch (error) {
    tell({
      kind: 'failed',
      code: isDeviceError(error) ? error.code : undefined,
      message: error instanceof Error ? error.message : String(error),
    });
    process.exitCode = EXIT.software;
    process.disconnect();
  }
}

async function serve(rig: Rig, order: Extract<ToChild, { kind: 'start-host' }>, log: Logger): Promise<ServiceServer> {
  const { device, generation, socket } = order;
  for (const { gone } of rig.devices) void gone.then((reason) => tell({ kind: 'gone', reason }));
  return serveServices(rig.services, { socket, device, generation, wires: WIRES, log });
}

/** Ends in order when the supervisor says so, and also when the supervisor is dead (R21). */
function stopWhenTold(rig: Rig, server: ServiceServer, log: Logger): void {
  const stop = async (why: string) => {
    log.debug(`stopping: ${why}`);
    try {
      // The server first: what a stopping driver withdraws would not come back.
      await server.close(why);
      await rig.close();
      process.exit(EXIT.ok);
    } catch (error) {
      log.error(error instanceof Error ? error.message : String(error));
      process.exit(EXIT.software);
    }
  };
  process.on('message', (message) => {
    if ((message as ToChild).kind === 'stop') void stop('the supervisor said so');
  });
  process.on('disconnect', () => void stop('the supervisor is gone'));
}
