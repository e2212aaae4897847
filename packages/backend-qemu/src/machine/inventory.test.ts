import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Inventory, loadInventory, storeInventory } from './inventory.ts';
import { machineKey } from './machine-spec.ts';

it('is read as it was written, with its addresses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-inventory-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ids = { vendorId: 1, deviceId: 2, classCode: 3, revision: 4, subsystemVendorId: 5, subsystemId: 6 };
  const bars = [{ bar: 0, kind: 'memory' as const, start: 0x80_0000_0000n, sizeBytes: 4096, is64: true }];
  const inventory: Inventory = {
    functions: [{ device: 4, function: 0, ...ids, bars, pin: 1 }],
    slots: { edu: { device: 4, function: 0 } },
    interceptPath: 'ioapic',
  };
  storeInventory(folder, inventory);
  expect(loadInventory(folder)).toEqual(inventory);
});

it('names equal machines alike, and others otherwise', () => {
  const spec = { machine: 'pc', devices: [{ driver: 'edu' }], drives: [] };
  expect(machineKey(structuredClone(spec))).toBe(machineKey(spec));
  expect(machineKey({ ...spec, machine: 'clipper' })).not.toBe(machineKey(spec));
});
