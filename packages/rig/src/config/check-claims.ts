import { ClaimTable } from '../claim-table.ts';
import type { DeviceDraft } from './device-draft.ts';
import type { Problems } from './problems.ts';

/** Finds devices on the same addresses, and addresses that cannot be: of two devices, the second in the file is wrong. */
export function checkClaims(devices: readonly DeviceDraft[], problems: Problems): void {
  const table = new ClaimTable();
  for (const { name, path, description } of devices) {
    if (description === undefined) continue;
    for (const space of description.spaces) {
      try {
        table.request(name, description, space);
      } catch (error) {
        problems.add(path, error instanceof Error ? error.message : String(error));
      }
    }
  }
}
