import { DATA_CASES, REFUSAL_CASES } from './block-device-cases.ts';
import type { BlockDeviceCase, BlockDeviceHarness } from './block-device-harness.ts';
import { OVERLAP_CASES, POWER_CASES, randomCase, TRIM_TRAFFIC_CASES } from './block-device-traffic-cases.ts';
import { TRIM_CASES } from './block-device-trim-cases.ts';
import { registerConformance } from './conformance.ts';

/** Registers the tests of what a `BlockDevice` owes, with vitest. */
export function blockDeviceConformance(harness: BlockDeviceHarness): void {
  registerConformance(`block device: ${harness.name}`, harness, blockDeviceCases(harness));
}

/** The cases by themselves: broken disks can be tried on them. */
export function blockDeviceCases(
  harness: Pick<BlockDeviceHarness, 'randomRuns' | 'cannot'>,
): readonly BlockDeviceCase[] {
  const canCutPower = harness.cannot?.['power-cut'] === undefined;
  const canTrim = harness.cannot?.trim === undefined;
  const random = randomCase(harness.randomRuns ?? 20, { canCutPower, canTrim });
  return [
    ...DATA_CASES,
    ...REFUSAL_CASES,
    ...TRIM_CASES,
    ...OVERLAP_CASES,
    ...POWER_CASES,
    ...TRIM_TRAFFIC_CASES,
    random,
  ];
}
