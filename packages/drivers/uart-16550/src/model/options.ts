import * as z from 'zod';

/** What the configuration may say of a simulated UART. */
export const optionsSchema = z
  .strictObject({
    kind: z.enum(['8250', '16450', '16550', '16550A']).default('16550A').describe('the member of the family'),
    clockRate: z.int().positive().default(1_843_200).describe('of the baud generator, in Hz'),
    space: z.enum(['port', 'memory']).default('port').describe('the bus that the registers are on'),
    start: z.int().positive().optional().describe('the first address; default: 3F8h in ports, FEC00000h in memory'),
    stride: z.literal([1, 2, 4]).default(1).describe('distance of the registers in bytes'),
    width: z.literal([8, 16, 32]).default(8).describe('the only width that the registers take, in bits'),
    line: z.string().min(1).default('IRQ 4').describe('the interrupt line; devices that name the same one share it'),
    interrupt: z.boolean().default(true).describe('false: its interrupt is connected to nothing'),
    out2: z.boolean().default(true).describe('OUT2 connects the interrupt to the line, as in a PC'),
    farEnd: z
      .union([z.enum(['echo', 'none']), z.strictObject({ cable: z.string().min(1) })])
      .default('echo')
      .describe('what is at the other end: an echo, nothing, or a null modem cable; two UARTs name the same one'),
    silentEnable: z
      .boolean()
      .default(false)
      .describe(
        'defect: enabling the transmitter interrupt while it is empty gives none (the THRE bug of some clones)',
      ),
  })
  .refine(({ stride, width }) => width / 8 <= stride, { path: ['width'], message: 'registers would overlap' });

/** The options with all defaults filled in. */
export type UartOptions = z.output<typeof optionsSchema>;

/** What a person writes. */
export type UartOptionsInput = z.input<typeof optionsSchema>;
