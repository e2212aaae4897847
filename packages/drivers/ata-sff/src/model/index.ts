import { defineModel } from '@ring3/backend-sim/model';
import { createController } from './create-controller.ts';
import { describeController } from './description.ts';
import { type ControllerOptions, optionsSchema } from './options.ts';

export type { AtaDevice } from './ata-device.ts';
export { createController } from './create-controller.ts';
export { type CommandDefect, commandDefect, type Defects } from './defects.ts';
export { FileStore, type ImageOptions } from './file-store.ts';
export type { FlushResult, Medium } from './medium.ts';
export { type ControllerOptions, type ControllerOptionsInput, type DiskOptions, optionsSchema } from './options.ts';
export { MemoryStore, type SectorRun, type SectorStore } from './sector-store.ts';
export { SffController } from './sff-controller.ts';

/** The simulated SFF ATA controller, for `backend: { type: sim, model: '@ring3/driver-ata-sff/model' }`. */
export default defineModel<ControllerOptions>({
  name: 'ata-sff',
  options: optionsSchema,
  describe: describeController,
  create: createController,
});
