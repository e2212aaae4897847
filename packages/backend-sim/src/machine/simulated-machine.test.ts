import { describe, expect, it } from 'vitest';
import { SimClock } from '../clock/sim-clock.ts';
import { simulate } from '../simulate.ts';
import { scratchModel } from '../testing/scratch-model.ts';
import { SimulatedMachine } from './simulated-machine.ts';

const machine = () => new SimulatedMachine(new SimClock('manual'));

describe('addresses', () => {
  it('reach the device that holds them, by every width and by FIFO', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    const { memory, ports } = sim.machine;
    ports.write(0xc004, 32, 0x1122_3344);
    expect(memory.read(0xfeb0_0004, 8)).toBe(0x44);
    expect(memory.read(0xfeb0_0006, 16)).toBe(0x1122);
    memory.writeFifo(0xfeb0_001c, 16, Uint8Array.of(1, 2, 3, 4));
    const back = new Uint8Array(4);
    ports.readFifo(0xc01c, 8, back);
    expect([...back]).toEqual([1, 2, 3, 4]);
  });

  it('float where nobody answers, and cost time all the same', async () => {
    const { ports, clock } = machine();
    expect([ports.read(0x80, 8), ports.read(0x80, 16), ports.read(0x80, 32)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
    ports.write(0x80, 8, 1);
    const floating = new Uint8Array(2);
    ports.readFifo(0x80, 16, floating);
    expect([...floating]).toEqual([0xff, 0xff]);
    expect(clock.nowUs()).toBe(2.5);
  });

  it('are not answered by half', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    expect(sim.machine.ports.read(0xc03e, 32)).toBe(0xffff_ffff);
  });

  it('of two devices must not overlap: the second is refused, the first is named', async () => {
    const shared = machine();
    await simulate(scratchModel, {}, { machine: shared });
    const second = simulate(
      scratchModel,
      { memoryStart: 0xd000_0000n, portStart: 0xc010n, lines: ['a', 'b', 'c'] },
      {
        machine: shared,
      },
    );
    await expect(second).rejects.toMatchObject({ code: 'busy', details: { holder: 'scratch@feb00000' } });
    expect(String(shared.memoryMap)).toBe('feb00000-feb0003f : scratch@feb00000');
    expect(String(shared.portMap)).toBe('c000-c03f : scratch@feb00000');
  });

  it('are free again after close', async () => {
    const shared = machine();
    const first = await simulate(scratchModel, {}, { machine: shared });
    await first.close();
    await simulate(scratchModel, {}, { machine: shared });
    expect(shared.devices).toHaveLength(1);
  });

  it('are free again when the model cannot be created', async () => {
    const shared = machine();
    const broken = { ...scratchModel, create: () => Promise.reject(new Error('no such image')) };
    await expect(simulate(broken, {}, { machine: shared })).rejects.toThrow('no such image');
    expect(String(shared.memoryMap)).toBe('');
    expect(() => shared.pciConfig('0000:00:01.0')).toThrow('there is: none');
  });
});

describe('PCI slots', () => {
  it('are given in order, and a taken one is refused with its holder', async () => {
    const shared = machine();
    await simulate(scratchModel, {}, { machine: shared });
    await simulate(scratchModel, { memoryStart: 0xd000_0000n, portStart: 0xd000n }, { machine: shared });
    expect(shared.pciConfig('0000:00:02.0').base({ kind: 'port', bar: 1, start: 0n, sizeBytes: 32 })).toBe(0xd000n);
    const fixed = {
      ...scratchModel,
      describe: () => {
        const description = scratchModel.describe({ memoryStart: 0xe000_0000n, portStart: 0xe000n });
        const { pci } = description.identity;
        const address = { domain: 0, bus: 0, device: 2, function: 0 };
        return { ...description, identity: pci === undefined ? {} : { pci: { ...pci, address } } };
      },
    };
    await expect(simulate(fixed, {}, { machine: shared })).rejects.toThrow(
      '0000:00:02.0 cannot be PCI function 0000:00:02.0: scratch@d0000000 is there',
    );
  });
});

describe('an access', () => {
  it('costs 100 ns in memory and 500 ns in ports, and can cost something else', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    sim.memory('registers').read32(0);
    expect(sim.clock.nowUs()).toBe(0.1);
    sim.ports('ports').read8(0);
    expect(sim.clock.nowUs()).toBe(0.6);
    const fast = await simulate(scratchModel, {}, { pace: 'manual', timing: { memoryAccessNs: 0 } });
    fast.memory('registers').read32(0);
    expect(fast.clock.nowUs()).toBe(0);
  });

  it('of a FIFO costs the same whether the model takes it whole or word by word', async () => {
    const whole = await simulate(scratchModel, {}, { pace: 'manual' });
    const words = await simulate(
      scratchModel,
      {},
      {
        pace: 'manual',
        faults: { registers: [{ offset: 0x1c, nth: 1_000_000, drop: true }] },
      },
    );
    const data = Uint8Array.from({ length: 512 }, (_, index) => index & 0xff);
    const back = [whole, words].map((sim) => {
      const into = new Uint8Array(512);
      sim.ports('ports').writeFifo16(0x1c, data);
      sim.ports('ports').readFifo16(0x1c, into);
      return { into, us: sim.clock.nowUs(), accesses: sim.ports('ports').read32(0x14) };
    });
    expect(back[0]).toEqual({ into: data, us: 256, accesses: 512 });
    expect(back[1]).toEqual(back[0]);
  });

  it('of a FIFO goes word by word while the device does something meanwhile', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    const ports = sim.ports('ports');
    ports.write32(0x0c, 10);
    ports.writeFifo8(0x1c, new Uint8Array(100));
    expect(ports.read32(0x08)).toBe(1);
    expect(sim.clock.nowUs()).toBe(0.5 + 50 + 0.5);
  });

  it('of a FIFO that the model does not take whole costs no more than its words', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    const ports = sim.ports('ports');
    ports.writeFifo8(0x1c, Uint8Array.of(1, 2));
    const into = new Uint8Array(4);
    ports.readFifo8(0x1c, into);
    expect([...into]).toEqual([1, 2, 0, 0]);
    expect(sim.clock.nowUs()).toBe(6 * 0.5);
  });

  it('never delivers an interrupt from inside', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    const ports = sim.ports('ports');
    let inside = false;
    const source = sim.interrupt();
    source.attach(() => {
      expect(inside).toBe(false);
      ports.write32(0x08, 3);
      return 'handled';
    });
    source.enable();
    inside = true;
    ports.write32(0x10, 1);
    for (let poll = 0; poll < 100; poll++) ports.read32(0);
    inside = false;
    expect(source.statistics.events).toBe(0);
    await sim.clock.advance(10);
    expect(source.statistics.handled).toBe(1);
  });
});

describe('a removed device', () => {
  it('reads all ones, ignores writes, ends its interrupts and says so', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    const registers = sim.memory('registers');
    const source = sim.interrupt();
    source.attach(() => 'not-mine');
    source.enable();
    registers.write32(0x10, 1);
    sim.removeDevice('pulled out');
    expect(registers.read32(0)).toBe(0xffff_ffff);
    expect(registers.read8(0)).toBe(0xff);
    const floating = new Uint8Array(4);
    registers.readFifo32(0x1c, floating);
    expect([...floating]).toEqual([0xff, 0xff, 0xff, 0xff]);
    registers.write32(0x04, 5);
    expect(await sim.device.gone).toBe('pulled out');
    expect(await source.closed).toBe('pulled out');
    await sim.clock.advance(100);
    expect(source.statistics.events).toBe(0);
  });

  it('works no more', async () => {
    const sim = await simulate(scratchModel, {}, { pace: 'manual' });
    sim.memory('registers').write32(0x0c, 10);
    sim.removeDevice();
    await sim.clock.advance(100);
    expect(sim.model.read('registers', 0x08, 32)).toBe(0);
  });

  it('keeps its addresses until it is closed', async () => {
    const shared = machine();
    const first = await simulate(scratchModel, {}, { machine: shared });
    first.removeDevice();
    await expect(simulate(scratchModel, {}, { machine: shared })).rejects.toMatchObject({ code: 'busy' });
    await first.close();
    await simulate(scratchModel, {}, { machine: shared });
  });
});

it('a power cut reaches the model once, and the device is gone', async () => {
  const sim = await simulate(scratchModel, {}, { pace: 'manual' });
  sim.memory('registers').write32(0x04, 0x55);
  sim.cutPower();
  sim.cutPower();
  expect(sim.model.read('registers', 0x04, 32)).toBe(0);
  expect(await sim.device.gone).toBe('the power was cut');
});

it('an ordinary close is not the loss of the device', async () => {
  const sim = await simulate(scratchModel, {}, { pace: 'manual' });
  let gone = false;
  void sim.device.gone.then(() => {
    gone = true;
  });
  await sim.close();
  await sim.close();
  expect(gone).toBe(false);
});

it('two functions share one INTx and are told apart', async () => {
  const shared = machine();
  const open = async (slot: bigint) => {
    const options = { memoryStart: 0xd000_0000n + slot * 0x1000n, portStart: 0xc000n + slot * 0x100n };
    const sim = await simulate(scratchModel, options, { machine: shared });
    const registers = sim.memory('registers');
    sim.interrupt().attach(() => {
      if (registers.read32(0x08) === 0) return 'not-mine';
      registers.write32(0x08, 3);
      return 'handled';
    });
    sim.interrupt().enable();
    return { registers, source: sim.interrupt() };
  };
  const [one, two] = [await open(1n), await open(2n)];
  two.registers.write32(0x10, 1);
  await shared.clock.advance(100);
  expect(one.source.statistics).toMatchObject({ handled: 0, notMine: 1 });
  expect(two.source.statistics).toMatchObject({ handled: 1, notMine: 0 });
});

it('a stuck simulation names the lines and what was injected', async () => {
  const sim = await simulate(scratchModel, {}, { faults: { interrupts: [{ nth: 1, lose: true }] } });
  const source = sim.interrupt();
  source.attach(() => 'handled');
  source.enable();
  sim.memory('registers').write32(0x10, 1);
  const stuck = sim.run(source.next().interrupt);
  await expect(stuck).rejects.toThrow(
    /nothing is scheduled[\s\S]*interrupt IRQ 10, level, quiet: scratch@feb00000 enabled/,
  );
  await expect(stuck).rejects.toThrow(/faults injected into scratch@feb00000: 1[\s\S]*interrupt 0: lose/);
});
