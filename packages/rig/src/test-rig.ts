import {
  type Backend,
  type BackendModule,
  type DeviceDescription,
  type Driver,
  defineBackend,
  type InterruptLine,
  InterruptSource,
  IoPortSpace,
  type OptionsSchema,
  SystemClock,
} from '@ring3/core';

/** Everything that happens in a test rig, in order. */
export type Events = string[];

/** Takes any options. */
const anything: OptionsSchema<unknown> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value ?? {} }) },
};

const description: DeviceDescription = {
  id: 'card',
  domain: 'test',
  identity: { name: 'card' },
  spaces: [
    { kind: 'port', bar: 0, name: 'command', start: 0x1f0n, sizeBytes: 8 },
    { kind: 'port', bar: 1, name: 'control', start: 0x3f6n, sizeBytes: 1 },
  ],
  interrupts: [{ index: 0, trigger: 'level' }],
  simulated: true,
};

/** How a card differs from one that is always there and that no other process can reach. */
interface CardOptions {
  readonly gone?: Promise<string>;
  readonly claim?: Backend['claim'];
  readonly domain?: string;
}

/** A backend with one card, which tells what is opened, written and closed. */
export function cardBackend(events: Events, { gone, claim, domain = 'test' }: CardOptions = {}): BackendModule {
  const line: InterruptLine = { trigger: 'level', listen() {}, enable() {}, disable() {}, rearm() {} };
  const clock = new SystemClock();
  const backend: Backend = {
    list: async () => [description],
    describe: async () => ({ ...description, domain }),
    open: async () => {
      events.push('open device');
      return {
        description,
        clock,
        gone: gone ?? new Promise(() => {}),
        openSpace: (resource) => {
          events.push(`open ${resource.name}`);
          const write = (offset: number, _width: number, value: number) =>
            void events.push(`${resource.name}[${offset}] = ${value}`);
          const { name = '', sizeBytes } = resource;
          return new IoPortSpace({ name, sizeBytes, memoryType: 'port' }, { read: () => 0, write });
        },
        openInterrupt: () => {
          events.push('open interrupt');
          return new InterruptSource('card irq', line, clock);
        },
        silence: () => void events.push('silence device'),
        close: async () => void events.push('close device'),
      };
    },
    ...(claim === undefined ? {} : { claim }),
    close: async () => void events.push('close backend'),
  };
  return defineBackend({ type: 'card', selector: anything, create: () => backend });
}

/** The programs that the test brings with it instead of packages. */
export function builtins(driver: Driver, backend: BackendModule) {
  return {
    drivers: { test: async () => ({ default: driver }) },
    backends: { card: async () => ({ default: backend }) },
  };
}

/** A configuration with one card for each name. */
export function cards(...names: string[]): { readonly value: unknown } {
  const device = { driver: 'test', backend: { type: 'card' } };
  return { value: { version: 1, devices: Object.fromEntries(names.map((name) => [name, device])) } };
}
