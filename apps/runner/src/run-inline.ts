import type { Logger } from '@ring3/core';
import { type CheckedConfig, openCheckedRig, type Rig } from '@ring3/rig';
import { inWords } from './end-on-defect.ts';
import { announce, ExportSet, notPublished } from './export-set.ts';
import { inTime } from './in-time.ts';
import type { DeviceSummary, RunningRig, StartOptions } from './running-rig.ts';
import { provideRuntimeDirectory } from './runtime-directory.ts';
import { longestStopUs } from './stop-timeout.ts';
import { describeWhere } from './summary.ts';

/** Starts everything in this process: drivers, simulated hardware and exports. */
export async function runInline(
  config: CheckedConfig,
  log: Logger,
  { signal, waiting }: StartOptions,
): Promise<RunningRig> {
  const runtimeDirectory = provideRuntimeDirectory(config.name, config.runtimeDirectory);
  waiting('the drivers to attach');
  const rig = await openCheckedRig(config, { log });
  const exports = new ExportSet(config.exports, { log, runtimeDirectory, changed: announce(log) });
  const stop = async (waitingFor: (what: string) => void) => {
    await exports.drain(longestStopUs(config), waitingFor);
    await exports.close();
    waitingFor('the drivers to stop');
    await inTime(rig.close(), longestStopUs(config), 'the drivers did not come to rest');
  };
  try {
    signal.throwIfAborted();
    exports.follow(rig.services);
    const missing = await exports.settled();
    const there = rig.services.list().map(({ name }) => name);
    for (const service of missing) log.warn(notPublished(service, there));
  } catch (error) {
    await stop(() => {}).catch((failure: unknown) => log.error(inWords(failure)));
    throw error;
  }
  const gone = new Set<string>();
  for (const device of rig.devices) void device.gone.then(() => gone.add(device.name));
  return {
    devices: () => rig.devices.map((device) => summarize(device, gone)),
    exports: () => exports.list(),
    failed: exports.failed,
    stop,
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
