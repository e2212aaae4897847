import { defineModel } from '@ring3/backend-sim/model';
import { EduDevice } from './edu-device.ts';
import { type EduOptions, optionsSchema } from './options.ts';

export { EduDevice } from './edu-device.ts';
export { type EduOptions, optionsSchema } from './options.ts';

/** The simulated edu device, for `backend: { type: sim }`. */
export default defineModel<EduOptions>({
  name: 'edu',
  options: optionsSchema,
  describe: ({ address, line }) => ({
    identity: { pci: { vendorId: 0x1234, deviceId: 0x11e8, classCode: 0x00ff00, revision: 0x10 } },
    spaces: [{ name: 'registers', kind: 'memory', bar: 0, start: BigInt(address), sizeBytes: 0x10_0000, widths: [32] }],
    interrupts: [{ index: 0, trigger: 'level', line }],
  }),
  create: (pins, options) => new EduDevice(pins, options),
});
