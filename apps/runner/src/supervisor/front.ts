import { isDeviceError, type Logger, ServiceDirectory } from '@ring3/core';
import { type CheckedConfig, readConfig } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { EXIT } from '../exit-code.ts';
import { ExportSet } from '../export-set.ts';
import { longestStopUs } from '../stop-timeout.ts';
import { firstMessage, tell } from './child.ts';
import { HostLink } from './host-link.ts';
import type { ToChild } from './messages.ts';

/** The process that holds all clients. It keeps them while the device hosts behind it die and come back. */
export async function runFront(log: Logger): Promise<void> {
  const order = await firstMessage();
  if (order.kind !== 'start-front') throw new Error(`the front cannot begin with ${order.kind}`);
  try {
    const config = await readConfig(order.config, loaderFor(order.config));
    serve(config, order.runtimeDirectory, log);
  } catch (error) {
    fail(error);
  }
}

function serve(config: CheckedConfig, runtimeDirectory: string, log: Logger): void {
  const services = new ServiceDirectory();
  const links = new Map(config.devices.map(({ name }) => [name, new HostLink(name, services, log)]));
  const exports = new ExportSet(config.exports, {
    log,
    runtimeDirectory,
    changed: (service, exported, reason) =>
      tell(exported === undefined ? { kind: 'withdrawn', service, reason } : { kind: 'exported', export: exported }),
  });
  exports.follow(services);
  exports.failed.catch(fail);
  const stop = async () => {
    await exports.drain(longestStopUs(config), (what) => tell({ kind: 'waiting', what }));
    await exports.close();
    process.exit(EXIT.ok);
  };
  process.on('message', (message) => {
    const heard = message as ToChild;
    if (heard.kind === 'connect') void connect(links.get(heard.device), heard, exports);
    else if (heard.kind === 'stop') void stop();
    else if (heard.kind === 'hurry') void exports.close();
  });
  // Clients of a rig without a supervisor would wait for hosts that nobody restarts.
  process.on('disconnect', () => void exports.close().then(() => process.exit(EXIT.software)));
  tell({ kind: 'ready' });
}

async function connect(
  link: HostLink | undefined,
  heard: Extract<ToChild, { kind: 'connect' }>,
  exports: ExportSet,
): Promise<void> {
  if (link === undefined) return;
  await link.connect(heard.socket, heard.generation);
  await exports.settled();
  tell({ kind: 'connected', device: heard.device });
}

function fail(error: unknown): void {
  const code = isDeviceError(error) ? error.code : undefined;
  tell({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) });
}
