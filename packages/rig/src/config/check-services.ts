import type { Driver, Need, ServiceClass } from '@ring3/core';
import { didYouMean } from '../modules/did-you-mean.ts';
import { isRecord } from './config-document.ts';
import type { DeviceDraft } from './device-draft.ts';
import type { ConfigPath } from './problem.ts';
import type { Problems } from './problems.ts';

/** Compares `services:` of a device with what its driver needs and the other devices offer. */
export function checkServices(draft: DeviceDraft, devices: readonly DeviceDraft[], problems: Problems): void {
  const section = isRecord(draft.raw['services']) ? draft.raw['services'] : {};
  const path = [...draft.path, 'services'];
  const needs = draft.driver === undefined ? undefined : serviceNeeds(draft.driver);
  for (const [name, reference] of Object.entries(section)) {
    const need = needs?.get(name);
    if (needs !== undefined && need === undefined) {
      const hint =
        needs.size === 0
          ? `the driver ${draft.driver?.name} needs no services`
          : didYouMean(name, [...needs.keys()], 'it needs');
      problems.add([...path, name], `unknown key "${name}"`, hint);
    } else if (typeof reference === 'string') {
      checkReference(reference, need?.serviceClass, { path: [...path, name], devices, problems });
    }
  }
  for (const [name, { serviceClass, isOptional }] of needs ?? []) {
    if (isOptional || Object.hasOwn(section, name)) continue;
    problems.add(
      [...path, name],
      `missing; the driver ${draft.driver?.name} needs a ${serviceClass.name}`,
      'write device/service',
    );
  }
  draft.services = section as Readonly<Record<string, string>>;
}

/** Checks `device/service`. @returns the draft of the device, if there is one. */
export function checkReference(
  reference: string,
  serviceClass: ServiceClass<unknown> | undefined,
  { path, devices, problems }: { path: ConfigPath; devices: readonly DeviceDraft[]; problems: Problems },
): DeviceDraft | undefined {
  const [, device, service] = /^([^/]*)\/(.+)$/.exec(reference) ?? [];
  if (device === undefined || service === undefined) {
    problems.add(path, `"${reference}" names no service`, 'write device/service, as in ata0/disk0');
    return undefined;
  }
  const names = devices.map(({ name }) => name);
  const target = devices.find(({ name }) => name === device);
  if (target === undefined) {
    problems.add(path, `no device "${device}"`, didYouMean(device, names, 'the devices are'));
  } else if (serviceClass !== undefined && target.driver !== undefined && !provides(target.driver, serviceClass)) {
    const classes = target.driver.provides.map(({ name }) => name).join(', ') || 'nothing';
    problems.add(
      path,
      `the driver ${target.driver.name} of ${device} provides ${classes}, and a ${serviceClass.name} is needed`,
    );
  }
  return target;
}

function provides(driver: Driver, { name }: ServiceClass<unknown>): boolean {
  return driver.provides.some((serviceClass) => serviceClass.name === name);
}

interface NeededService {
  readonly serviceClass: ServiceClass<unknown>;
  readonly isOptional: boolean;
}

function serviceNeeds(driver: Driver): Map<string, NeededService> {
  const found = Object.entries(driver.needs).flatMap(([name, need]) => {
    const service = neededService(need);
    return service === undefined ? [] : [[name, service] as const];
  });
  return new Map(found);
}

function neededService(need: Need): NeededService | undefined {
  const isOptional = need.need === 'optional';
  const inner = isOptional ? need.inner : need;
  return inner.need === 'service' ? { serviceClass: inner.serviceClass, isOptional } : undefined;
}
