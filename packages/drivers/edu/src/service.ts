import { serviceClass } from '@ring3/core';

/** What an edu device offers. */
export interface FactorialUnit {
  /** Of the hardware: `1.0`. */
  readonly version: string;
  /** Whether it says by interrupt that it is done; otherwise its status is polled. */
  readonly byInterrupt: boolean;
  /**
   * n!, computed by the device; calls are answered in turn.
   * @throws RangeError for what is no integer from 0 to 12, DeviceError `timeout` where the device does not answer.
   */
  factorial(n: number): Promise<number>;
  /**
   * Makes the device interrupt, as a test of the way from its pin to the driver.
   * @param causes the bits to raise, at least one of 32.
   * @returns the bits that the handler saw.
   * @throws DeviceError `unsupported` without an interrupt, `timeout` where none came.
   */
  raise(causes: number): Promise<number>;
}

/** The class of {@link FactorialUnit}: `rig.get(FACTORIAL_UNIT, 'unit0')`. */
export const FACTORIAL_UNIT = serviceClass<FactorialUnit>('factorial-unit');
