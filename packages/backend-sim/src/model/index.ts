export {
  type DeviceModel,
  defineModel,
  type InterruptPin,
  type ModelDescription,
  type ModelModule,
  type ModelPins,
} from './device-model.ts';
