import { type DeviceDescription, type Driver, findMatch, formatIdentity } from '@ring3/core';
import { type ModuleLoader, readConfig } from '@ring3/rig';
import { openBackend } from '../access/choose-device.ts';
import { print, printJson, say } from '../access/output.ts';
import { BUILTINS } from '../builtins.ts';
import { loaderFor } from '../config-source.ts';
import { describeWhere } from '../summary.ts';

interface Row {
  readonly name: string;
  readonly backend: string;
  readonly identity: string;
  readonly where: string;
  readonly drivers: readonly string[];
  /** Why it cannot be used as it is, each with its remedy. */
  readonly obstacles: readonly string[];
  readonly simulated: boolean;
}

/** `ring3 devices [CONFIG]`: the devices of a configuration, or what the installed backends see on this machine. */
export async function devices(config: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  const rows = config === undefined ? await devicesOfMachine() : await devicesOfConfig(config);
  if (options.json === true) {
    printJson(rows);
    return;
  }
  for (const line of table(rows)) print(line);
  if (config === undefined) sayWhatElse(rows);
}

async function devicesOfConfig(file: string): Promise<Row[]> {
  const source = { file };
  const config = await readConfig(source, loaderFor(source));
  for (const backend of config.backends.values()) await backend.close();
  return config.devices.map((device) =>
    rowOf(device.name, device.backendType, device.description, [device.driver.name]),
  );
}

async function devicesOfMachine(): Promise<Row[]> {
  const loader = loaderFor({ file: 'ring3.yaml' });
  const drivers = await Promise.all(Object.keys(BUILTINS.drivers).map((name) => loader.driver(name)));
  const rows: Row[] = [];
  for (const type of Object.keys(BUILTINS.backends)) {
    try {
      rows.push(...(await devicesOfBackend(type, loader, drivers)));
    } catch (error) {
      say(`backend ${type}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return rows;
}

async function devicesOfBackend(type: string, loader: ModuleLoader, drivers: readonly Driver[]): Promise<Row[]> {
  const backend = await openBackend(loader, type);
  try {
    const found = await backend.list();
    return found.map((device) => {
      const fitting = drivers.filter((driver) => findMatch(driver.match, device.identity) !== undefined);
      return rowOf(device.id, type, device, [...new Set(fitting.map((driver) => driver.name))]);
    });
  } finally {
    await backend.close();
  }
}

function rowOf(name: string, backend: string, description: DeviceDescription, drivers: readonly string[]): Row {
  const { identity, simulated, obstacles = [] } = description;
  return {
    name,
    backend,
    identity: formatIdentity(identity),
    where: describeWhere(description),
    drivers,
    obstacles,
    simulated,
  };
}

/** A line for each device, with its registers and what stands in its way below. */
function table(rows: readonly Row[]): string[] {
  const head = ['DEVICE', 'BACKEND', 'DRIVER', 'IDENTITY'];
  const cells = rows.map((row) => [row.name, howReached(row), row.drivers.join(', ') || '-', row.identity]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  if (rows.length === 0) return [];
  return [
    line(head).trimEnd(),
    ...rows.flatMap((row, index) => [
      line(cells[index] ?? []).trimEnd(),
      `    ${row.where || 'no registers, no interrupts'}`,
      ...row.obstacles.map((obstacle) => `    ! ${obstacle}`),
    ]),
  ];
}

function howReached({ backend, simulated }: Row): string {
  return simulated ? `${backend}, simulated` : backend;
}

function sayWhatElse(rows: readonly Row[]): void {
  if (rows.length > 0) return;
  const installed = Object.keys(BUILTINS.backends).join(', ');
  say(`no devices: the installed backends (${installed}) see none without a configuration; try: ring3 devices CONFIG`);
}
