import { expect, expectTypeOf, it } from 'vitest';
import { BLOCK_DEVICE, type BlockDevice } from './block-device.ts';
import type { Clock } from './clock.ts';
import { type Driver, type DriverEnvironment, defineDriver, type SpaceSizes } from './driver.ts';
import type { InterruptSource } from './interrupt-source.ts';
import { pciId } from './match.ts';
import type { IoPortSpace, MemoryRegion } from './memory-region.ts';
import { type Handles, interrupt, memory, optional, ports, registers, service } from './needs.ts';
import type { OptionsSchema } from './options-schema.ts';
import type { RegisterSpace } from './register-space.ts';
import { Scope } from './scope.ts';
import { serviceClass } from './service.ts';
import { ManualClock } from './testing/manual-clock.ts';

interface Bus {
  transfer(bytes: Uint8Array): void;
}
const BUS = serviceClass<Bus>('bus');

const options: OptionsSchema<{ readonly periodMs: number }> = {
  '~standard': { version: 1, vendor: 'test', validate: () => ({ value: { periodMs: 500 } }) },
};

const blinker = defineDriver({
  name: 'blinker',
  match: [pciId(0x1234, 0x11e8)],
  needs: {
    regs: memory({ bar: 0 }, 0x20),
    command: ports({ bar: 1 }),
    anywhere: registers({ name: 'window' }),
    irq: interrupt(),
    aux: optional(interrupt({ index: 1 })),
    bus: service(BUS),
    spare: optional(service(BUS)),
  },
  options,
  provides: [BLOCK_DEVICE],
  quiesce: (sizes) => {
    expectTypeOf(sizes).toEqualTypeOf<SpaceSizes<typeof blinker.needs>>();
    return sizes.regs === undefined ? [] : [{ kind: 'write', space: 'regs', width: 32, offset: 0, value: 0 }];
  },
  attach(handles, { periodMs }, scope) {
    expectTypeOf(handles.regs).toEqualTypeOf<MemoryRegion>();
    expectTypeOf(handles.command).toEqualTypeOf<IoPortSpace>();
    expectTypeOf(handles.anywhere).toEqualTypeOf<RegisterSpace>();
    expectTypeOf(handles.irq).toEqualTypeOf<InterruptSource>();
    expectTypeOf(handles.aux).toEqualTypeOf<InterruptSource | undefined>();
    expectTypeOf(handles.bus).toEqualTypeOf<Bus>();
    expectTypeOf(handles.spare).toEqualTypeOf<Bus | undefined>();
    expectTypeOf(handles.clock).toEqualTypeOf<Clock>();
    expectTypeOf(periodMs).toEqualTypeOf<number>();
    expectTypeOf(scope).toEqualTypeOf<Scope>();
    // @ts-expect-error a handle that the manifest does not ask for
    void handles.dma;
    // @ts-expect-error an optional handle may be missing
    void handles.aux.name;
    return { blinking: true, periodMs };
  },
});

it('receives exactly the handles that its manifest names', () => {
  type Names = 'regs' | 'command' | 'anywhere' | 'irq' | 'aux' | 'bus' | 'spare';
  expectTypeOf<keyof Handles<typeof blinker.needs>>().toEqualTypeOf<Names>();
  expectTypeOf<Parameters<typeof blinker.attach>[0]>().toEqualTypeOf<
    Handles<typeof blinker.needs> & DriverEnvironment
  >();
  const withoutInterrupt = defineDriver({
    name: 'polled',
    match: [],
    needs: { regs: memory({ bar: 0 }) },
    provides: [],
    // @ts-expect-error the manifest does not ask for the interrupt
    attach: ({ irq }) => irq,
  });
  expect(withoutInterrupt.needs).toEqual({ regs: memory({ bar: 0 }) });
});

it('is a plain call away from a test', async () => {
  const lamp = defineDriver({
    name: 'lamp',
    match: [],
    needs: { bus: service(BUS) },
    provides: [],
    attach: ({ bus, name }, _options, scope) => {
      scope.defer('dark', () => bus.transfer(Uint8Array.of(0)));
      bus.transfer(Uint8Array.of(1));
      return `${name} is lit`;
    },
  });
  const sent: number[] = [];
  const scope = new Scope('lamp0');
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const services = { publish: () => () => {} };
  const environment: DriverEnvironment = { name: 'lamp0', clock: new ManualClock(), log, services, simulated: true };
  const bus: Bus = { transfer: (bytes) => void sent.push(...bytes) };
  expect(await lamp.attach({ ...environment, bus }, {}, scope)).toBe('lamp0 is lit');
  await scope.close();
  expect(sent).toEqual([1, 0]);
});

it('fits where any driver is expected, with the types of its instance and options', () => {
  const any: Driver = blinker;
  expect(any.needs).toBe(blinker.needs);
  expectTypeOf<Awaited<ReturnType<typeof blinker.attach>>>().toEqualTypeOf<{ blinking: boolean; periodMs: number }>();
  const plain = defineDriver({ name: 'plain', match: [], needs: {}, provides: [], attach: (_handles, none) => none });
  expectTypeOf<Parameters<typeof plain.attach>[1]>().toEqualTypeOf<Record<never, never>>();
  expectTypeOf<(typeof BLOCK_DEVICE)['type']>().toEqualTypeOf<BlockDevice | undefined>();
});

it('says what makes the device harmless, as data, from the sizes that are there', () => {
  expect(blinker.quiesce?.({ regs: 0x20 }, { periodMs: 1 })).toEqual([
    { kind: 'write', space: 'regs', width: 32, offset: 0, value: 0 },
  ]);
  expect(blinker.quiesce?.({}, { periodMs: 1 })).toEqual([]);
});

it('its needs are plain data', () => {
  expect(blinker.needs).toEqual({
    regs: { need: 'space', kind: 'memory', selector: { bar: 0 }, minimumBytes: 0x20 },
    command: { need: 'space', kind: 'port', selector: { bar: 1 }, minimumBytes: 1 },
    anywhere: { need: 'space', kind: 'any', selector: { name: 'window' }, minimumBytes: 1 },
    irq: { need: 'interrupt', selector: {} },
    aux: { need: 'optional', inner: { need: 'interrupt', selector: { index: 1 } } },
    bus: { need: 'service', serviceClass: { name: 'bus' } },
    spare: { need: 'optional', inner: { need: 'service', serviceClass: { name: 'bus' } } },
  });
});

it('does not compile with a manifest or a match that is wrong', () => {
  const neverCalled = (): void => {
    // @ts-expect-error optional of optional
    optional(optional(interrupt()));
    // @ts-expect-error a need is made by memory(), ports(), registers(), interrupt() or service()
    defineDriver({ name: 'x', match: [], needs: { regs: { bar: 0 } }, provides: [], attach: () => 0 });
    // @ts-expect-error every driver gets a clock, so no handle can be called that
    defineDriver({ name: 'x', match: [], needs: { clock: interrupt() }, provides: [], attach: () => 0 });
    // @ts-expect-error an unknown kind of rule
    defineDriver({ name: 'x', match: [{ kind: 'usb' }], needs: {}, provides: [], attach: () => 0 });
    // @ts-expect-error attach is missing
    defineDriver({ name: 'x', match: [], needs: {}, provides: [] });
    // @ts-expect-error a register space is not told by number
    memory(0);
  };
  expect(neverCalled).toBeTypeOf('function');
});
