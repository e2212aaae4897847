export {
  type DeviceModel,
  defineModel,
  type InterruptPin,
  type MemoryPort,
  type ModelDescription,
  type ModelModule,
  type ModelPins,
} from './device-model.ts';
