import { type FaultPlan, SimClock, SimulatedMachine, type Simulation, simulate } from '@ring3/backend-sim';
import { type Logger, Scope, SERIAL_PORT, type SerialPort, ServiceDirectory } from '@ring3/core';
import type { z } from 'zod';
import { type UartPort, uart16550, uartOptions } from './index.ts';
import model, {
  connectUarts,
  optionsSchema,
  Terminal,
  type TerminalOptions,
  UartModel,
  type UartOptionsInput,
} from './model/index.ts';

/** What a test may choose; the rest is one 16550A in I/O ports with nothing at the other end, driven by interrupt. */
export interface DriverSetUp {
  readonly model?: UartOptionsInput;
  readonly options?: z.input<typeof uartOptions>;
  readonly faults?: FaultPlan;
  readonly seed?: number;
  readonly machine?: SimulatedMachine;
  /** What happens to the hardware before the driver meets it. */
  readonly before?: (hardware: UartModel) => void;
}

/** One attached driver on one simulated UART. */
export interface TestDriver {
  readonly sim: Simulation;
  /** The model, to look behind the registers. */
  readonly hardware: UartModel;
  readonly port: SerialPort;
  readonly driver: UartPort;
  readonly services: ServiceDirectory;
  /** What the driver said, `level: message`. */
  readonly said: string[];
  /** Lets so much simulated time pass. */
  pass(us: number): Promise<void>;
  /** The driver's orderly end. */
  stop(): Promise<void>;
}

/** Attaches the driver; one simulated machine each, if none is given. */
export async function attachDriver(setUp: DriverSetUp = {}): Promise<TestDriver> {
  const said: string[] = [];
  const { faults, machine, seed = 1 } = setUp;
  const options = optionsSchema.parse({ farEnd: 'none', ...setUp.model });
  const sim = await simulate(model, options, { ...(faults && { faults }), ...(machine && { machine }), seed });
  if (!(sim.model instanceof UartModel)) throw new Error('the model is another one');
  setUp.before?.(sim.model);
  const services = new ServiceDirectory();
  const scope = new Scope('serial0');
  const environment = { name: 'serial0', clock: sim.clock, log: recorder(said), services, simulated: true };
  const irq = options.interrupt ? sim.interrupt() : undefined;
  const handles = { registers: sim.space('registers'), irq, ...environment };
  const driver = await sim.run(
    Promise.resolve(uart16550.attach(handles, uartOptions.parse(setUp.options ?? {}), scope)),
  );
  return {
    sim,
    hardware: sim.model,
    port: services.get(SERIAL_PORT, 'port0'),
    driver,
    services,
    said,
    pass: (us) => pass(sim, us),
    stop: () => sim.run(scope.close()),
  };
}

function pass(sim: Simulation, us: number): Promise<void> {
  return sim.run(
    new Promise((resolve) => {
      sim.clock.after(us, resolve);
    }),
  );
}

/** The driver with a terminal at the other end of the line. */
export async function attachTerminal(setUp: DriverSetUp = {}, options: TerminalOptions = {}) {
  const driver = await attachDriver(setUp);
  const { clock } = driver.sim;
  const pins = { after: (us: number, callback: () => void) => clock.afterInDevice(us, callback) };
  const terminal = new Terminal(pins, driver.hardware.uart, options);
  driver.hardware.uart.connect(terminal);
  driver.hardware.uart.setInputs({ cts: true, dsr: true, dcd: true });
  return { ...driver, terminal };
}

/** Two drivers on two UARTs of one machine, with a null modem cable between them. */
export async function attachPair(left: DriverSetUp = {}, right: DriverSetUp = {}) {
  const machine = new SimulatedMachine(new SimClock());
  const a = await attachDriver({ ...left, machine });
  const b = await attachDriver({ ...right, machine, model: { ...right.model, start: 0x2f8, line: 'IRQ 3' } });
  connectUarts(a.hardware.uart, b.hardware.uart);
  return { a, b, machine };
}

function recorder(said: string[]): Logger {
  const say = (level: string) => (message: string) => void said.push(`${level}: ${message}`);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
