import type { Logger } from '@ring3/core';
import { type CheckedConfig, openCheckedRig, type Rig } from '@ring3/rig';
import { ExportSet } from './export-set.ts';
import type { DeviceSummary, RunningRig } from './running-rig.ts';
import { provideRuntimeDirectory } from './runtime-directory.ts';
import { longestStopUs } from './stop-timeout.ts';
import { describeWhere } from './summary.ts';

/** Starts everything in this process: drivers, simulated hardware and exports. */
export async function runInline(config: CheckedConfig, log: Logger): Promise<RunningRig> {
  const runtimeDirectory = provideRuntimeDirectory(config.name, config.runtimeDirectory);
  const rig = await openCheckedRig(config, { log });
  const exports = new ExportSet(config.exports, { log, runtimeDirectory, changed: announce(log) });
  const unfollow = exports.follow(rig.services);
  const close = async (waiting: (what: string) => void) => {
    await exports.drain(longestStopUs(config), waiting);
    unfollow();
    await exports.close();
    waiting('the drivers to stop');
    await rig.close();
  };
  try {
    for (const service of await exports.settled())
      log.warn(`${service} is not exported: the driver has not published it`);
  } catch (error) {
    await close(() => {}).catch(() => {});
    throw error;
  }
  const gone = new Set<string>();
  for (const device of rig.devices) void device.gone.then(() => gone.add(device.name));
  return {
    devices: () => rig.devices.map((device) => summarize(device, gone)),
    exports: () => exports.list(),
    failed: exports.failed,
    stop: close,
    hurry: () => void exports.close(),
  };
}

function summarize({ name, driver, device }: Rig['devices'][number], gone: ReadonlySet<string>): DeviceSummary {
  return {
    name,
    driver,
    backend: device.backendType,
    state: gone.has(name) ? 'gone' : 'running',
    where: describeWhere(device.description),
    simulated: device.description.simulated,
  };
}

/** Says in the log what appears and goes. */
export function announce(
  log: Logger,
): (service: string, exported: { readonly uri: string } | undefined, reason: string) => void {
  return (service, exported, reason) => {
    if (exported === undefined) log.warn(`${service} is no longer exported: ${reason}`);
    else log.info(`${service} is served at ${exported.uri}`);
  };
}
