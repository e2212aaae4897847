import { join } from 'node:path';
import { DeviceError, isDeviceError, type Logger } from '@ring3/core';
import { foreignDriver, type LocatedDevice, type Surroundings } from './describe.ts';
import { lendMemory } from './dma-memory.ts';
import type { Native } from './native.ts';
import { PciConfigSpace } from './pci-config-space.ts';
import { enableFunction, maskInterrupt, setBusMaster } from './pci-power.ts';
import { Presence } from './presence.ts';
import type { UioSelector } from './selector.ts';
import { pciDevicesFolder } from './sysfs/pci-function.ts';
import { UioDevice } from './uio-device.ts';

/** What {@link openDevice} needs. */
export interface OpenContext {
  readonly surroundings: Surroundings;
  readonly settings: Omit<UioSelector, 'select'>;
  readonly native: Native;
  readonly log: Logger;
  /** Told when the device is closed. */
  readonly closed: () => void;
}

const NO_VENDOR = 0xffff;

/**
 * Opens what was located; no register is touched.
 * @throws DeviceError `busy` with the name of the kernel driver that has it, `permission` with the rule that is missing.
 */
export function openDevice(located: LocatedDevice, context: OpenContext): UioDevice {
  const { candidate, description } = located;
  const driver = foreignDriver(candidate);
  if (driver !== undefined) {
    throw new DeviceError(
      'busy',
      `${description.id}: the kernel driver ${driver} has it; ring3 bind ${candidate.pci?.address} gives it to UIO`,
      { details: { driver } },
    );
  }
  const undo: (() => void)[] = [];
  const release = () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) step();
  };
  undo.push(context.closed);
  try {
    return openParts(located, context, undo, release);
  } catch (error) {
    release();
    throw error;
  }
}

function openParts(located: LocatedDevice, context: OpenContext, undo: (() => void)[], release: () => void): UioDevice {
  const { settings, native, surroundings } = context;
  const { candidate, description } = located;
  const { pci, uio } = candidate;
  const config = openConfig(located);
  if (config !== undefined) undo.push(() => config.close());
  if (pci !== undefined && uio === undefined) {
    const disable = enableFunction(pci);
    if (disable !== undefined) undo.push(quietly(context.log, disable));
    // Also behind the enabling: the kernel lets interrupts through with it.
    if (config?.writable === true) quietly(context.log, () => maskInterrupt(config))();
  }
  const events = uio === undefined ? undefined : native.openEvents(join(surroundings.roots.dev, uio.node));
  if (events !== undefined) undo.push(() => events.close());
  if (settings.busMaster === true) startBusMaster(located, config, context, undo);
  const presence = new Presence(foldersOf(located, surroundings), native.lookMs, () => isAnswering(config));
  const { roots } = surroundings;
  const dma =
    settings.dma &&
    lendMemory({ id: description.id, settings: settings.dma, config, native, roots, candidate, log: context.log });
  return new UioDevice({ located, ...context, presence, config, events, dma, release });
}

/** Closed to this process it is missing only where something needs it. */
function openConfig({ candidate: { pci } }: LocatedDevice): PciConfigSpace | undefined {
  if (pci === undefined) return undefined;
  try {
    return new PciConfigSpace(join(pci.folder, 'config'));
  } catch (error) {
    if (isDeviceError(error, 'permission')) return undefined;
    throw error;
  }
}

/** Without a kernel driver nobody else ends it; with uio_pci_generic the kernel does when the node is closed. */
function startBusMaster(
  { description }: LocatedDevice,
  config: PciConfigSpace | undefined,
  { log }: OpenContext,
  undo: (() => void)[],
): void {
  if (config === undefined) {
    throw new DeviceError(
      'permission',
      `${description.id}: busMaster needs the PCI configuration space, which this process cannot open`,
    );
  }
  setBusMaster(config, true);
  undo.push(quietly(log, () => setBusMaster(config, false)));
}

function foldersOf({ candidate }: LocatedDevice, { roots }: Surroundings) {
  const { pci, uio } = candidate;
  return [
    ...(pci === undefined
      ? []
      : [{ path: join(pciDevicesFolder(roots.sys), pci.address), words: 'it was removed from the PCI bus' }]),
    ...(uio === undefined ? [] : [{ path: uio.folder, words: 'its UIO driver was unbound' }]),
  ];
}

function isAnswering(config: PciConfigSpace | undefined): boolean {
  try {
    return config === undefined || config.read16(0) !== NO_VENDOR;
  } catch (error) {
    return !isDeviceError(error, 'gone');
  }
}

function quietly(log: Logger, step: () => void): () => void {
  return () => {
    try {
      step();
    } catch (error) {
      log.debug(error instanceof Error ? error.message : String(error));
    }
  };
}
