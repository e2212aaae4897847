import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { DeviceSummary, ExportSummary, RunningRig } from './running-rig.ts';

/** What a person sees when the demo serves: what runs, where, and what to type next. */
export function demoScreen(name: string, rig: RunningRig, path: string | undefined): string {
  const exports = rig.exports();
  return [
    '',
    `ring3 serves the rig "${name}".`,
    '',
    ...rig.devices().flatMap(deviceLines),
    ...exports.flatMap(exportLines),
    ...exports.slice(0, 1).flatMap((first) => nextLines(first, path)),
    'Ctrl-C stops it, flushed.',
    '',
  ].join('\n');
}

function deviceLines(device: DeviceSummary): string[] {
  const kind = device.simulated ? `${device.backend}, simulated hardware` : device.backend;
  return [
    `  device  ${device.name}: driver ${device.driver} on ${kind}${device.process === undefined ? '' : ` (${device.process})`}`,
    `          ${device.where}`,
  ];
}

function exportLines(exported: ExportSummary): string[] {
  return [
    `  disk    ${exported.service}: ${exported.what}${exported.simulated ? ' (simulated)' : ''}`,
    `  served  ${exported.uri}`,
    '',
  ];
}

function nextLines({ uri }: ExportSummary, path: string | undefined): string[] {
  const steps: readonly (readonly [command: string, what: string])[] = [
    [`nbdinfo '${uri}'`, 'asks the disk what it is'],
    [`nbdcopy '${uri}' copy.img`, 'reads all of it, every word through the task file'],
    [`qemu-io -f raw -c 'write -P 0x33 8M 1M' -c 'read -P 0x33 8M 1M' '${uri}'`, 'writes a pattern and reads it back'],
  ];
  const missing = steps.map(([command]) => command.split(' ')[0] ?? '').filter((tool) => !isInstalled(tool, path));
  const hint =
    missing.length === 0 ? [] : [`  (${missing.join(', ')} not found: sudo apt install libnbd-bin qemu-utils)`];
  return [
    'Type next, in another terminal:',
    ...steps.map(([command, what]) => `  ${command}\n      ${what}`),
    ...hint,
    '',
  ];
}

function isInstalled(tool: string, path = ''): boolean {
  return path.split(delimiter).some((folder) => existsSync(join(folder, tool)));
}
