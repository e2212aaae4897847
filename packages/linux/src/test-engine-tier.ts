/** Which compiler of V8 has made the code of a function; the last two are chosen per function. */
export type Tier = 'cold' | 'as-it-comes' | 'ignition' | 'sparkplug' | 'maglev' | 'turbofan';

/** A function of V8 for tests (--allow-natives-syntax); V8 parses its name when it is called first. */
function native(name: string): (target: unknown) => unknown {
  return new Function('target', `return %${name}(target)`) as (target: unknown) => unknown;
}

/**
 * Runs `work` on each of `ons` until V8 has it in the tier. `classes` are what it calls.
 * `cold` runs nothing; `as-it-comes` runs so often that V8 does what it does by itself.
 */
export function bringTo<On>(
  tier: Tier,
  work: (on: On) => unknown,
  ons: readonly On[],
  classes: readonly { readonly prototype: object }[],
): void {
  if (tier === 'cold') return;
  const parts = [work, ...classes.flatMap(methodsOf)];
  if (tier === 'sparkplug') for (const part of parts) native('CompileBaseline')(part);
  const chosen = tier === 'maglev' || tier === 'turbofan';
  if (chosen) for (const part of parts) native('PrepareFunctionForOptimization')(part);
  for (let round = 0; round < (tier === 'as-it-comes' ? 50 : 3); round++) for (const on of ons) work(on);
  if (tier === 'maglev') native('OptimizeMaglevOnNextCall')(work);
  if (tier === 'turbofan') native('OptimizeFunctionOnNextCall')(work);
  if (chosen) for (const on of ons) work(on);
}

/** The tier in which `work` is now. */
export function tierOf(work: unknown): string {
  const found = ['Ignition', 'Sparkplug', 'Maglev', 'Turbofan'].find((tier) => native(`ActiveTierIs${tier}`)(work));
  return (found ?? 'none').toLowerCase();
}

function methodsOf({ prototype }: { readonly prototype: object }): unknown[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
    .map(([, { value }]) => value as unknown);
}
