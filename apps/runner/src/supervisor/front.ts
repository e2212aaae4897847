import { isDeviceError, type Logger, ServiceDirectory } from '@ring3/core';
import { type CheckedConfig, readConfig } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { inWords } from '../end-on-defect.ts';
import { EXIT } from '../exit-code.ts';
import { ExportSet } from '../export-set.ts';
import { longestStopUs, STOP_GRACE_MS } from '../stop-timeout.ts';
import { firstMessage, ruleChild, tell } from './child.ts';
import { HostLink } from './host-link.ts';
import type { ToChild } from './messages.ts';

/** The process that holds all clients. It keeps them while the device hosts behind it die and come back. */
export async function runFront(log: Logger): Promise<void> {
  let front: Front | undefined;
  const rest = ruleChild(log, async () => front?.exports.close());
  const order = await firstMessage();
  if (order.kind !== 'start-front') throw new Error(`the front cannot begin with ${order.kind}`);
  try {
    const config = await readConfig(order.config, loaderFor(order.config));
    front = serve(config, order.runtimeDirectory, log);
    rest.limitMs = longestStopUs(config) / 1000 + STOP_GRACE_MS;
    await rest.stopped;
    // Without a supervisor the hosts are going, too: clients get their answers now or not at all.
    const timeoutUs = process.connected ? longestStopUs(config) : 0;
    const waiting = (what: string) => void tell({ kind: 'waiting', what });
    await front.exports.drain(timeoutUs, waiting);
    await front.exports.close();
    if (process.connected) await Promise.all(front.links.map((link) => link.flushAfterOutage(waiting)));
    process.exit(EXIT.ok);
  } catch (error) {
    await fail(error);
    process.exit(EXIT.software);
  }
}

interface Front {
  readonly exports: ExportSet;
  readonly links: readonly HostLink[];
}

function serve(config: CheckedConfig, runtimeDirectory: string, log: Logger): Front {
  const services = new ServiceDirectory();
  const links = new Map(config.devices.map(({ name }) => [name, new HostLink(name, services, log)]));
  const exports = new ExportSet(config.exports, {
    log,
    runtimeDirectory,
    changed: (service, exported, reason) =>
      void tell(
        exported === undefined ? { kind: 'withdrawn', service, reason } : { kind: 'exported', export: exported },
      ),
  });
  exports.follow(services);
  exports.failed.catch(fail);
  process.on('message', (message) => {
    const heard = message as ToChild;
    const link = heard.kind === 'connect' ? links.get(heard.device) : undefined;
    if (heard.kind === 'connect' && link !== undefined) void connect(link, heard, exports, log);
    else if (heard.kind === 'hurry') void exports.close();
  });
  void tell({ kind: 'ready' });
  return { exports, links: [...links.values()] };
}

async function connect(
  link: HostLink,
  { device, generation, socket }: Extract<ToChild, { kind: 'connect' }>,
  exports: ExportSet,
  log: Logger,
): Promise<void> {
  try {
    await link.connect(socket, generation);
  } catch (error) {
    // The host died again before it answered; the supervisor starts another one.
    log.warn(`${device}: not connected: ${inWords(error)}`);
    return;
  }
  const settled = await exports.settled().catch(() => undefined); // What cannot start is told by `failed`.
  if (settled !== undefined) await tell({ kind: 'connected', device, services: link.services() });
}

function fail(error: unknown): Promise<void> {
  const code = isDeviceError(error) ? error.code : undefined;
  return tell({ kind: 'failed', code, message: inWords(error) });
}
