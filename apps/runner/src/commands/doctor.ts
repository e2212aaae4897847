import { ConfigError, formatProblem, type Problem, readConfig } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import type { ExaminedDevice } from '../doctor/context.ts';
import { contextOf, examine } from '../doctor/examine.ts';
import { type Finding, formatFinding } from '../doctor/finding.ts';
import { udevRules } from '../doctor/udev-rules.ts';
import { EXIT } from '../exit-code.ts';

/** What was asked for. */
export interface DoctorOptions {
  readonly json?: boolean;
  readonly udev?: boolean;
}

/** `ring3 doctor [CONFIG]`: what is missing on this machine, and what mends it. The status is 0 when nothing blocks. */
export async function doctor(file: string | undefined, options: DoctorOptions): Promise<void> {
  const { devices, findings: ofFile } = await readDevices(file);
  const context = contextOf(devices);
  if (options.udev === true) {
    process.stdout.write(udevRules(devices, context.roots));
    return;
  }
  const findings = [...ofFile, ...examine(context)];
  if (options.json === true) process.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  else for (const finding of findings) process.stdout.write(formatFinding(finding));
  const count = (level: string) => findings.filter((finding) => finding.level === level).length;
  process.stderr.write(`${count('problem')} problem(s), ${count('warning')} warning(s)\n`);
  if (count('problem') > 0) process.exitCode = EXIT.notFound;
}

interface FileFindings {
  readonly devices: readonly ExaminedDevice[];
  /** What is wrong with the file apart from its devices. */
  readonly findings: readonly Finding[];
}

/** The devices of a configuration, whatever is wrong with it. */
export async function readDevices(file: string | undefined): Promise<FileFindings> {
  if (file === undefined) return { devices: [], findings: [] };
  const source = { file };
  try {
    const config = await readConfig(source, loaderFor(source));
    for (const backend of config.backends.values()) await backend.close();
    return { devices: config.devices.map((device) => examined(device, [])), findings: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      devices: error.devices.map((device) => examined(device, error.problems)),
      findings: error.problems.filter((problem) => deviceOf(problem, error) === undefined).map(wrongFile),
    };
  }
}

function examined(device: ConfigError['devices'][number], problems: readonly Problem[]): ExaminedDevice {
  const { backend } = device.raw;
  const section = typeof backend === 'object' && backend !== null ? (backend as ExaminedDevice['section']) : {};
  const { type } = section;
  return {
    name: device.name,
    backend: device.backendType ?? (typeof type === 'string' ? type : undefined),
    section,
    description: device.description,
    problems: problems.filter(({ path }) => path[0] === 'devices' && path[1] === device.name).map(formatProblem),
  };
}

function deviceOf({ path }: Problem, { devices }: ConfigError): string | undefined {
  return devices.find(({ name }) => path[0] === 'devices' && path[1] === name)?.name;
}

function wrongFile(problem: Problem): Finding {
  return {
    level: 'problem',
    about: 'configuration',
    says: 'cannot be used',
    cause: formatProblem(problem),
    remedy: 'correct that place of the file; ring3 check lists all of them',
  };
}
