import { readdirSync, readlinkSync } from 'node:fs';
import { interruptAfter } from '@ring3/core';
import { listClaims, mappedBytes } from '@ring3/linux';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { UioBackend } from './backend.ts';
import { applyBinding } from './binding/apply-binding.ts';
import { planBinding } from './binding/plan-binding.ts';
import { ACKNOWLEDGE, bind, EDU, edus, inMachine, newBackend, RAISE, selectorOf, unbind } from './testing/edu.ts';

/** What this process has open of devices, of sysfs and of claims. */
function ownDescriptors(): string[] {
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // That of the folder itself.
    }
  });
  return open.filter((path) => /^\/dev\/uio|^\/sys\/|^\/run\/ring3\//.test(path));
}

/** Lets the device go quiet without its driver, as a supervisor does: else it asserts a line that others share. */
async function acknowledge(backend: UioBackend): Promise<void> {
  const device = await backend.open(selectorOf(EDU));
  const [space] = device.description.spaces;
  device.openSpace(space ?? expect.fail('edu has no registers')).write32(ACKNOWLEDGE, 0xffff_ffff);
  await device.close();
}

describe.skipIf(!inMachine)('a device under uio_pci_generic', () => {
  beforeAll(async () => {
    for (const address of edus) await bind(address); // They share a line.
  });
  afterAll(async () => {
    for (const address of edus) await unbind(address);
  });

  it('can be unbound and bound a hundred times under load, and nothing is left', { timeout: 400_000 }, async () => {
    const backend = newBackend();
    onTestFinished(() => backend.close());
    const before = { mapped: mappedBytes(), claims: listClaims().length };
    let interrupts = 0;
    let total = 0;
    for (let round = 0; round < 100; round++) {
      const claim = await backend.claim(selectorOf(EDU), 'cycles');
      onTestFinished(() => claim.release());
      const device = await backend.open(selectorOf(EDU));
      const [space] = device.description.spaces;
      const [interrupt] = device.description.interrupts;
      if (space === undefined || interrupt === undefined) expect.fail(`no interrupt in round ${round}`);
      const registers = device.openSpace(space);
      const source = device.openInterrupt(interrupt);
      // Every interrupt causes the next one: the line is never quiet.
      source.attach(() => {
        registers.write32(ACKNOWLEDGE, 0xffff_ffff);
        registers.write32(RAISE, 1);
        interrupts++;
        return 'handled';
      });
      source.enable();
      await interruptAfter(source, device.clock, 5_000_000, () => registers.write32(RAISE, 1));
      await applyBinding(planBinding({ force: true }, 'unbind', EDU));
      expect(await device.gone).not.toBe('');
      await source.closed;
      await device.close();
      await acknowledge(backend);
      await claim.release();
      await bind();
      if (round === 9) total = readdirSync('/proc/self/fd').length;
    }
    expect(interrupts).toBeGreaterThanOrEqual(100);
    expect({ mapped: mappedBytes(), claims: listClaims().length }).toEqual(before);
    expect(ownDescriptors()).toEqual([]);
    expect(readdirSync('/proc/self/fd').length - total, 'anything else, by 90 rounds').toBeLessThan(10);
  });
});
