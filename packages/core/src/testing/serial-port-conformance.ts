import { registerConformance } from './conformance.ts';
import { SERIAL_DATA_CASES, SERIAL_REFUSAL_CASES } from './serial-port-cases.ts';
import type { SerialPortCase, SerialPortHarness } from './serial-port-harness.ts';
import { SERIAL_FLOW_CASES, SERIAL_LINE_CASES } from './serial-port-line-cases.ts';

/** The laws of a serial port by themselves: broken ports can be tried on them. */
export const SERIAL_PORT_CASES: readonly SerialPortCase[] = [
  ...SERIAL_DATA_CASES,
  ...SERIAL_REFUSAL_CASES,
  ...SERIAL_LINE_CASES,
  ...SERIAL_FLOW_CASES,
];

/** Registers the tests of what a `SerialPort` owes, with vitest. */
export function serialPortConformance(harness: SerialPortHarness): void {
  registerConformance(`serial port: ${harness.name}`, harness, SERIAL_PORT_CASES);
}
