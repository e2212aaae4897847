import { describe, it } from 'vitest';

/** One law of a conformance suite: a test that needs no more than a fixture, so that broken fixtures can be tried too. */
export interface ConformanceCase<Fixture, Ability extends string> {
  /** What is owed, as one sentence. */
  readonly title: string;
  /** What the fixture must be able to do for it. */
  readonly needs?: readonly Ability[];
  run(fixture: Fixture): Promise<void>;
}

/** What a suite runs on. */
export interface ConformanceHarness<Fixture extends { stop(): Promise<void> }, Ability extends string> {
  /** What is under test, for the report. */
  readonly name: string;
  /** What it cannot do, each with the reason that stands in the report behind the skipped tests. */
  readonly cannot?: { readonly [A in Ability]?: string };
  /** Makes what one test needs; called for each. */
  start(): Promise<Fixture>;
  /** For slow fixtures. Default: vitest's own. */
  readonly timeoutMs?: number;
}

/** Registers a suite with vitest: one test per case, named skips for what the harness cannot do. */
export function registerConformance<Fixture extends { stop(): Promise<void> }, Ability extends string>(
  title: string,
  harness: ConformanceHarness<Fixture, Ability>,
  cases: readonly ConformanceCase<Fixture, Ability>[],
): void {
  describe(title, () => {
    for (const one of cases) {
      const reason = whyNot(harness, one);
      if (reason !== undefined) it.skip(`${one.title} [skipped: ${reason}]`, () => {});
      else if (harness.timeoutMs === undefined) it(one.title, () => runCase(harness, one));
      else it(one.title, { timeout: harness.timeoutMs }, () => runCase(harness, one));
    }
  });
}

/** Runs one case on a fixture of its own, which is stopped whatever happens. */
export async function runCase<Fixture extends { stop(): Promise<void> }, Ability extends string>(
  harness: ConformanceHarness<Fixture, Ability>,
  one: ConformanceCase<Fixture, Ability>,
): Promise<void> {
  const fixture = await harness.start();
  try {
    await one.run(fixture);
  } finally {
    await fixture.stop();
  }
}

function whyNot<Fixture extends { stop(): Promise<void> }, Ability extends string>(
  { cannot }: ConformanceHarness<Fixture, Ability>,
  one: ConformanceCase<Fixture, Ability>,
): string | undefined {
  return one.needs?.map((ability) => cannot?.[ability]).find((reason) => reason !== undefined);
}

/** The part of a fixture that a case needs; missing although the harness did not say `cannot`, it fails the test in words. */
export function required<T>(part: T | undefined, ability: string): T {
  if (part === undefined) {
    throw new Error(`the harness gives no ${ability}: provide it, or say in cannot why it is not there`);
  }
  return part;
}

/** What `attempt` is rejected with. Throwing before a promise is returned counts as a failure of the test. */
export async function rejection(attempt: () => Promise<unknown>): Promise<unknown> {
  let promise: Promise<unknown>;
  try {
    promise = attempt();
  } catch (error) {
    throw new Error(`threw instead of returning a rejected promise: ${error}`, { cause: error });
  }
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`was expected to fail, but gave ${value}`);
}
