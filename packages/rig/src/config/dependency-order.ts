import type { DeviceDraft } from './device-draft.ts';
import type { Problems } from './problems.ts';

/** Sorts devices so that whoever offers a service comes before its users; otherwise the order of the file stays. */
export function inDependencyOrder(devices: readonly DeviceDraft[], problems: Problems): DeviceDraft[] {
  const byName = new Map(devices.map((device) => [device.name, device]));
  const sorted = new Set<DeviceDraft>();
  const visit = (device: DeviceDraft, above: readonly DeviceDraft[]): void => {
    if (sorted.has(device)) return;
    for (const [need, reference] of Object.entries(device.services)) {
      const provider = byName.get(String(reference).split('/', 1)[0] ?? '');
      if (provider === undefined) continue;
      const chain = [...above, device];
      if (chain.includes(provider)) reportCycle(device, need, chain.slice(chain.indexOf(provider)), problems);
      else visit(provider, chain);
    }
    sorted.add(device);
  };
  for (const device of devices) visit(device, []);
  return [...sorted];
}

function reportCycle(device: DeviceDraft, need: string, cycle: readonly DeviceDraft[], problems: Problems): void {
  const names = [...cycle, ...cycle.slice(0, 1)].map(({ name }) => name);
  problems.add(
    [...device.path, 'services', need],
    `devices that need each other cannot start: ${names.join(' needs ')}`,
  );
}
