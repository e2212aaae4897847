import { ACCESS_CASES } from './backend-access-cases.ts';
import type { BackendCase, BackendHarness } from './backend-harness.ts';
import { INTERRUPT_CASES } from './backend-interrupt-cases.ts';
import { LEVEL_CASES } from './backend-level-cases.ts';
import { LIFE_CASES } from './backend-life-cases.ts';
import { registerConformance } from './conformance.ts';

/** What a `Backend` owes, as cases: broken backends can be tried on them. */
export const BACKEND_CASES: readonly BackendCase[] = [
  ...LIFE_CASES,
  ...ACCESS_CASES,
  ...LEVEL_CASES,
  ...INTERRUPT_CASES,
];

/** Registers the tests of what a `Backend` owes, with vitest. */
export function backendConformance(harness: BackendHarness): void {
  registerConformance(`backend: ${harness.name}`, harness, BACKEND_CASES);
}
