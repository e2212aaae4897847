import { z } from 'zod';
import type { FaultPlan } from './plan.ts';

const count = z.int().positive();
const time = z.number().nonnegative();
const bits = z.int().min(0).max(0xffff_ffff);
const width = z.union([z.literal(8), z.literal(16), z.literal(32)]);

const occurrence = {
  nth: count.optional().describe('only the n-th one that fits, from 1'),
  every: count.optional().describe('every n-th one that fits'),
  probability: z.number().min(0).max(1).optional().describe('each with this probability, drawn from the seed'),
};

const registerFault = z
  .strictObject({
    space: z.string().optional().describe('name of the space; default: all'),
    offset: z.int().nonnegative().optional().describe('offset of the register; default: all'),
    access: z.enum(['read', 'write']).optional().describe('default: both'),
    width: width.optional().describe('access width in bits; default: all'),
    ...occurrence,
    drop: z.literal(true).optional().describe('the bus loses the access; a read returns all ones'),
    delayUs: time.optional().describe('the bus stalls before the access'),
    duplicate: z.literal(true).optional().describe('the device sees the access twice'),
    value: bits.optional().describe('replaces the value'),
    stuckBits: z.strictObject({ mask: bits, value: bits }).optional().describe('the bits of mask are stuck at value'),
    xor: bits.optional().describe('inverts these bits'),
  })
  .refine(onlyOneOccurrence, 'nth, every and probability exclude each other')
  .refine(
    (rule) =>
      [rule.drop, rule.delayUs, rule.duplicate, rule.value, rule.stuckBits, rule.xor].some(
        (effect) => effect !== undefined,
      ),
    'says where, but not what: add drop, delayUs, duplicate, value, stuckBits or xor',
  );

const interruptFault = z
  .strictObject({
    index: z.int().nonnegative().optional().describe('which interrupt; default 0'),
    ...occurrence,
    lose: z.literal(true).optional().describe('the event never arrives'),
    delayUs: time.optional().describe('the event arrives later'),
    duplicate: z.literal(true).optional().describe('the event arrives twice'),
  })
  .refine(onlyOneOccurrence, 'nth, every and probability exclude each other')
  .refine(
    (rule) => [rule.lose, rule.delayUs, rule.duplicate].some((effect) => effect !== undefined),
    'says where, but not what: add lose, delayUs or duplicate',
  );

const dmaFault = z
  .strictObject({
    direction: z.enum(['read', 'write']).optional().describe('read: the device reads memory; default: both'),
    ...occurrence,
    delayUs: time.optional().describe('the bus stalls before the transfer'),
    abort: z.literal(true).optional().describe('nobody answers, and the device is told so'),
    lose: z.literal(true).optional().describe('taken for done: a write vanishes, a read gives all ones'),
    stale: z
      .literal(true)
      .optional()
      .describe('a write reaches memory only with the next transfer; a read gives what the read before it brought'),
    xor: z.int().min(1).max(0xff).optional().describe('inverts these bits of the first byte'),
  })
  .refine(onlyOneOccurrence, 'nth, every and probability exclude each other')
  .refine(
    (rule) => [rule.delayUs, rule.abort, rule.lose, rule.stale, rule.xor].some((effect) => effect !== undefined),
    'says where, but not what: add delayUs, abort, lose, stale or xor',
  );

const spurious = z.strictObject({
  index: z.int().nonnegative().optional().describe('which interrupt; default 0'),
  atUs: time.describe('when, from switching the device on'),
  everyUs: z.number().positive().optional().describe('repeats it with this period'),
  times: count.optional().describe('how many in all'),
});

/** Validates a {@link FaultPlan}. */
export const FAULT_PLAN: z.ZodType<FaultPlan> = z.strictObject({
  registers: z.array(registerFault).optional().describe('faults of register accesses'),
  interrupts: z.array(interruptFault).optional().describe('faults of interrupts'),
  dma: z.array(dmaFault).optional().describe('faults of transfers that the device makes by itself'),
  spurious: z.array(spurious).optional().describe('interrupts that the device did not cause'),
  removal: z
    .strictObject({ atUs: time.optional(), atAccess: count.optional() })
    .refine(({ atUs, atAccess }) => (atUs === undefined) !== (atAccess === undefined), 'needs either atUs or atAccess')
    .optional()
    .describe('the device is pulled out'),
  powerCut: z.strictObject({ atUs: time }).optional().describe('the power goes'),
});

function onlyOneOccurrence(rule: { nth?: unknown; every?: unknown; probability?: unknown }): boolean {
  return [rule.nth, rule.every, rule.probability].filter((how) => how !== undefined).length <= 1;
}
