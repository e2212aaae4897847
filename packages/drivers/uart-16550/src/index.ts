/**
 * Serial ports of the 8250, 16450 and 16550A family, in I/O ports or in memory, by interrupt or by polling.
 *
 * Not supported: DMA; deeper FIFOs and automatic flow control of later chips (16650, 16750, 16950: driven as 16550A);
 * the busy detection of the DesignWare UART; boards that put several ports behind one interrupt register.
 */
import {
  compatible,
  DeviceError,
  defineDriver,
  interrupt,
  named,
  optional,
  pciClass,
  pciId,
  registers,
  SERIAL_PORT,
} from '@ring3/core';
import { Attention } from './attention.ts';
import { detectUart } from './detect.ts';
import { Engine } from './engine.ts';
import { type UartOptions, uartOptions } from './options.ts';
import { uartRegisters } from './registers.ts';
import { testLoopback } from './self-test.ts';
import { Uart } from './uart.ts';
import { UartPort } from './uart-port.ts';

export { type UartOptions, uartOptions } from './options.ts';
export type { PortStatistics, UartPort } from './uart-port.ts';

/** The driver. Publishes one serial port, `port0`. */
export const uart16550 = defineDriver({
  name: 'uart-16550',
  match: [
    pciClass(0x070002, 0xffffff),
    pciId(0x1b36, 0x0002),
    ...['ns16550a', 'ns16550', 'ns16450', 'ns8250', 'snps,dw-apb-uart'].map(compatible),
    named('serial'),
  ],
  needs: {
    registers: registers({ bar: 0, name: 'registers' }, 8),
    irq: optional(interrupt()),
  },
  options: uartOptions,
  provides: [SERIAL_PORT],
  // What was written gets drainSeconds, at most 10.
  stopTimeoutUs: 12_000_000,
  quiesce: (_sizes, options) => quiesceSteps(options),
  layouts: () => ({ registers: uartRegisters(8) }),
  async attach({ registers: space, irq, ...environment }, options, scope) {
    const { name, clock, log, services } = environment;
    checkSize(name, space.sizeBytes, options);
    if (options.interrupts === 'required' && irq === undefined) {
      throw new DeviceError(
        'config',
        `${name} has no interrupt, and the option interrupts is "required"; set it to "auto"`,
      );
    }
    const source = options.interrupts === 'polling' ? undefined : irq;
    const uart = new Uart(space, options);
    uart.reset();
    const kind = detectUart(name, uart, options);
    if (options.selfTest) await testLoopback(name, uart, clock, options);
    const engine = new Engine(environment, uart, kind, options);
    const port = new UartPort(environment, engine, options);
    const attention = new Attention(engine, clock, log, source !== undefined);
    scope.defer('timers', () => attention.stop());
    if (source !== undefined) {
      scope.defer(
        'interrupt handler',
        source.attach(() => attention.interrupt()),
      );
      source.enable();
      void source.closed.then((reason) => attention.pollFromNowOn(reason));
    }
    engine.open(source?.trigger);
    const withdraw = services.publish(SERIAL_PORT, 'port0', port);
    engine.onLost = withdraw;
    scope.defer('port0', async () => {
      await port.stop();
      withdraw('the driver was stopped');
    });
    const how = source === undefined ? 'by polling' : 'by interrupt';
    log.info(`${name}: port0: ${kind.model}, FIFOs of ${kind.depth}, ${options.baudRate} baud, ${how}`);
    return port;
  },
});

export default uart16550;

/** IER = 0 and MCR = 0: no interrupts, and their pin cut off by OUT2; nobody is told to send. */
function quiesceSteps({ registerStride, registerWidth }: UartOptions) {
  const { interruptEnable, modemControl } = uartRegisters(registerWidth);
  return [interruptEnable, modemControl].map(({ offset, width }) => ({
    kind: 'write' as const,
    space: 'registers',
    width,
    offset: offset * registerStride,
    value: 0,
  }));
}

function checkSize(name: string, sizeBytes: number, { registerStride, registerWidth }: UartOptions): void {
  const needed = 7 * registerStride + registerWidth / 8;
  if (sizeBytes >= needed) return;
  const words = `${name}: eight registers of ${registerWidth} bits, ${registerStride} bytes apart, need ${needed} bytes`;
  throw new DeviceError('config', `${words}; the space has ${sizeBytes}: correct registerStride or registerWidth`);
}
