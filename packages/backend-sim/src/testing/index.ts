export { type ScratchOptions, scratchModel, scratchModel as default } from './scratch-model.ts';
