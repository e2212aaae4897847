import { z } from 'zod';

/** What the configuration may say of the simulated device. */
export const optionsSchema = z.strictObject({
  address: z.int().nonnegative().multipleOf(0x10_0000).default(0xfea0_0000).describe('where BAR 0 is'),
  line: z.string().default('INTA').describe('the interrupt line; devices that name the same share it'),
  computeUs: z.number().nonnegative().default(20).describe('how long a factorial takes, in microseconds'),
});

export type EduOptions = z.output<typeof optionsSchema>;
