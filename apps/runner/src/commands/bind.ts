import { applyBinding, type BindingPlan, type BindingResult, formatStep, planBinding } from '@ring3/backend-uio';
import { confirm } from '../access/ask.ts';
import { print, printJson, say } from '../access/output.ts';
import { checkPciAddress } from '../access/target-text.ts';

/** Options of `ring3 bind` and `ring3 unbind`. */
export interface BindOptions {
  /** The kernel driver; default uio_pci_generic. */
  readonly driver?: string;
  /** Also a device that is in use. */
  readonly force?: boolean;
  /** Only shows what would be written. */
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `ring3 bind PCI`: gives a PCI function to UIO. `ring3 unbind PCI`: gives it back to the driver that the kernel chooses. */
export async function bind(action: 'bind' | 'unbind', pci: string, options: BindOptions): Promise<void> {
  const address = pci.replace(/^pci:/, '');
  checkPciAddress(address);
  const plan = planBinding({ force: options.force ?? false }, action, address, options.driver);
  const applied = plan.writes.length > 0 && options.dryRun !== true;
  showPlan(plan);
  if (applied) await confirm(question(plan), 'Do it?', options);
  const result = applied ? await applyBinding(plan) : undefined;
  if (options.json === true) printJson(report(plan, result));
  else for (const line of outcome(plan, result)) print(line);
}

function showPlan({ address, from, writes, notes }: BindingPlan): void {
  say(`${address}: ${from === undefined ? 'no kernel driver has it' : `the kernel driver ${from} has it`}`);
  for (const note of notes) say(`note: ${note}`);
  if (writes.length > 0) say('will be written, as root:');
  for (const step of writes) if (from !== undefined || step.ifThere !== true) say(`  ${formatStep(step)}`);
}

function question({ action, address, driver, from }: BindingPlan): string {
  if (action === 'unbind') return `${address} is taken from ${driver}`;
  return from === undefined
    ? `${address} is given to ${driver}`
    : `${address} is taken from ${from} and given to ${driver}`;
}

function outcome(plan: BindingPlan, result: BindingResult | undefined): string[] {
  const { action, address, driver, writes, undo } = plan;
  if (writes.length === 0) {
    return [`${address}: nothing to do: ${driver} ${action === 'bind' ? 'has it already' : 'does not have it'}`];
  }
  if (result === undefined) return [`${address}: nothing was written`];
  const node = result.node === undefined ? '' : ` as /dev/${result.node}`;
  return [
    `${address}: ${result.driver === undefined ? 'no kernel driver has it now' : `${result.driver} has it now${node}`}`,
    'the way back:',
    ...undo.map((step) => `  ${formatStep(step)}`),
  ];
}

function report(
  { action, address, driver, from, writes, undo, notes }: BindingPlan,
  result: BindingResult | undefined,
) {
  const steps = (list: BindingPlan['writes']) => list.map(({ path, value }) => ({ path, value }));
  const now = result === undefined ? {} : { now: { driver: result.driver ?? null, node: result.node ?? null } };
  return { action, address, driver, from: from ?? null, writes: steps(writes), undo: steps(undo), notes, ...now };
}
