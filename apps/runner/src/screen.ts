import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { DeviceSummary, ExportSummary, RunningRig } from './running-rig.ts';

/** What the screen depends on beside the rig. */
export interface DemoSurroundings {
  /** PATH, to say which of the tools are missing. */
  readonly path: string | undefined;
  /** Whether the disk is the person's own: nothing that writes is proposed then. */
  readonly ownImage: boolean;
}

/** What a person sees when the demo serves: what runs, where, and what to type next. */
export function demoScreen(
  name: string,
  rig: Pick<RunningRig, 'devices' | 'exports'>,
  { path, ownImage }: DemoSurroundings,
): string {
  const exports = rig.exports();
  return [
    '',
    `ring3 serves the rig "${name}".`,
    '',
    ...rig.devices().flatMap(deviceLines),
    ...exports.flatMap(exportLines),
    ...exports.slice(0, 1).flatMap((first) => nextLines(first, path, ownImage)),
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

function nextLines({ uri }: ExportSummary, path: string | undefined, ownImage: boolean): string[] {
  const writing = [
    `qemu-io -f raw -c 'write -P 0x33 8M 1M' -c 'read -P 0x33 8M 1M' '${uri}'`,
    'writes a pattern and reads it back',
  ] as const;
  const looking = [`qemu-io -r -f raw -c 'read -v 0 512' '${uri}'`, 'shows the first sector'] as const;
  const steps: readonly (readonly [command: string, what: string])[] = [
    [`nbdinfo '${uri}'`, 'asks the disk what it is'],
    [`nbdcopy '${uri}' copy.img`, 'reads all of it, through the registers of the controller'],
    ownImage ? looking : writing,
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
