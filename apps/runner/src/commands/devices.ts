import { type DeviceDescription, findMatch, formatIdentity, SILENT } from '@ring3/core';
import { readConfig } from '@ring3/rig';
import { BUILTINS } from '../builtins.ts';
import { loaderFor } from '../config-source.ts';
import { describeWhere } from '../summary.ts';

interface Row {
  readonly name: string;
  readonly backend: string;
  readonly identity: string;
  readonly where: string;
  readonly drivers: readonly string[];
  readonly simulated: boolean;
}

/** `ring3 devices [CONFIG]`: the devices of a configuration, or what the installed backends see on this machine. */
export async function devices(config: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  const rows = config === undefined ? await devicesOfMachine() : await devicesOfConfig(config);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return;
  }
  for (const row of rows) process.stdout.write(`${text(row)}\n`);
  if (rows.length === 0) {
    const installed = Object.keys(BUILTINS.backends).join(', ');
    process.stderr.write(
      `no devices: the installed backends (${installed}) see none without a configuration; try: ring3 devices CONFIG\n`,
    );
  }
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
  const source = { file: 'ring3.yaml' };
  const loader = loaderFor(source);
  const drivers = await Promise.all(Object.keys(BUILTINS.drivers).map((name) => loader.driver(name)));
  const rows: Row[] = [];
  for (const type of Object.keys(BUILTINS.backends)) {
    const module = await loader.backend(type);
    const backend = module.create({
      log: SILENT,
      resolvePath: (path) => path,
      loadModule: (specifier) => loader.load(specifier),
    });
    for (const found of await backend.list()) {
      const fitting = drivers.filter((driver) => findMatch(driver.match, found.identity) !== undefined);
      rows.push(
        rowOf(
          found.id,
          type,
          found,
          fitting.map((driver) => driver.name),
        ),
      );
    }
    await backend.close();
  }
  return rows;
}

function rowOf(name: string, backend: string, description: DeviceDescription, drivers: readonly string[]): Row {
  const { identity, simulated } = description;
  return { name, backend, identity: formatIdentity(identity), where: describeWhere(description), drivers, simulated };
}

function text({ name, backend, identity, where, drivers, simulated }: Row): string {
  const how = simulated ? `${backend}, simulated` : backend;
  return `${name}  ${identity}\n    ${how}: ${where}\n    driver: ${drivers.join(', ') || 'none of the installed ones fits'}`;
}
