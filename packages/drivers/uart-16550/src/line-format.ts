import { DeviceError, type SerialSettings } from '@ring3/core';
import { DIVISOR_MAX, LCR } from './registers.ts';

/** Clocks that differ by more do not understand each other reliably: the stop bit is half a bit away by then. */
const MOST_ERROR = 0.03;
/** The baud generator makes 16 cycles of each bit (PC16550D 8.3). */
const CYCLES_PER_BIT = 16;

/**
 * The divisor for a baud rate (PC16550D 8.3).
 * @throws DeviceError `unsupported` when the nearest rate is more than 3 % away.
 */
export function divisorFor(clockRate: number, baudRate: number): number {
  const divisor = Math.min(Math.max(Math.round(clockRate / (CYCLES_PER_BIT * baudRate)), 1), DIVISOR_MAX);
  const actual = clockRate / (CYCLES_PER_BIT * divisor);
  const error = actual / baudRate - 1;
  if (Math.abs(error) <= MOST_ERROR) return divisor;
  const percent = `${error > 0 ? '+' : ''}${(error * 100).toFixed(1)} %`;
  throw new DeviceError(
    'unsupported',
    `${baudRate} baud: the nearest that a clock of ${clockRate} Hz gives is ${Math.round(actual)} (${percent}, at most 3 %): choose another rate, or correct clockRate`,
  );
}

/**
 * The Line Control Register for a format, without break and DLAB (PC16550D 8.1).
 * @throws DeviceError `unsupported` for stop bits that the chip does not have with this word length.
 */
export function lineControl({ dataBits, parity, stopBits }: SerialSettings): number {
  const long = dataBits === 5 ? 1.5 : 2;
  if (stopBits !== 1 && stopBits !== long) {
    throw new DeviceError(
      'unsupported',
      `${stopBits} stop bits with ${dataBits} data bits: this chip has 1 or ${long}`,
    );
  }
  return (dataBits - 5) | (stopBits === 1 ? 0 : LCR.STOP_BITS) | PARITY[parity];
}

const PARITY = {
  none: 0,
  odd: LCR.PARITY_ENABLE,
  even: LCR.PARITY_ENABLE | LCR.EVEN_PARITY,
  mark: LCR.PARITY_ENABLE | LCR.STICK_PARITY,
  space: LCR.PARITY_ENABLE | LCR.STICK_PARITY | LCR.EVEN_PARITY,
} as const;
