import { describe, expect, it } from 'vitest';
import { BIT_US, CHARACTER_US, createBench } from './test-bench.ts';

// Registers and bits as in table II of the PC16550D datasheet; LSR: DR 01 OE 02 PE 04 FE 08 BI 10 THRE 20 TEMT 40.
const [RBR, IER, IIR, FCR, LCR, MCR, LSR, MSR] = [0, 1, 2, 2, 3, 4, 5, 6];

describe('the transmitter', () => {
  it('takes a character time for a character, after the bit in which it starts', async () => {
    const { terminal, write, read, pass } = await createBench();
    write(RBR, 0x41);
    await pass(BIT_US + CHARACTER_US - 20);
    expect(terminal.screen).toEqual([]);
    expect(read(LSR) & 0x40).toBe(0);
    await pass(40);
    expect(terminal.screen).toEqual([0x41]);
    expect(read(LSR)).toBe(0x60);
  });

  it('holds 16 characters beside the one that it sends, and notes what had no room', async () => {
    const { uart, terminal, write, pass } = await createBench();
    for (let value = 1; value <= 16; value++) write(RBR, value);
    await pass(2 * BIT_US);
    write(RBR, 17);
    expect(uart.violations).toEqual([]);
    write(RBR, 18);
    expect(uart.violations).toHaveLength(1);
    await pass(20 * CHARACTER_US);
    expect(terminal.screen).toEqual(Array.from({ length: 17 }, (_, index) => index + 1));
  });

  it('interrupts when it is empty; reading IIR takes that back, and so does writing', async () => {
    const { write, read, pass } = await createBench();
    write(IER, 0x02);
    expect(read(IIR)).toBe(0xc2);
    expect(read(IIR)).toBe(0xc1);
    for (let value = 0; value < 4; value++) write(RBR, value);
    expect(read(LSR) & 0x20).toBe(0);
    await pass(2 * BIT_US + 3 * CHARACTER_US);
    expect(read(LSR) & 0x60).toBe(0x20);
    write(RBR, 9);
    expect(read(IIR)).toBe(0xc1);
  });

  it('says empty late where there was only one character', async () => {
    const { write, read, pass } = await createBench();
    write(RBR, 1);
    await pass(BIT_US + CHARACTER_US / 2);
    expect(read(LSR) & 0x20).toBe(0);
    await pass(CHARACTER_US / 2);
    expect(read(LSR) & 0x20).toBe(0x20);
  });
});

describe('the receiver', () => {
  it('interrupts at its trigger level, and below it after four character times of silence', async () => {
    const { terminal, write, read, pass } = await createBench();
    write(IER, 0x01);
    terminal.type([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await pass(7.5 * CHARACTER_US);
    expect(read(IIR)).toBe(0xc1);
    await pass(CHARACTER_US);
    expect(read(IIR)).toBe(0xc4);
    for (let value = 1; value <= 8; value++) expect(read(RBR)).toBe(value);
    await pass(2 * CHARACTER_US);
    expect(read(IIR)).toBe(0xc1);
    await pass(4 * CHARACTER_US);
    expect(read(IIR)).toBe(0xcc);
    expect(read(RBR)).toBe(9);
    expect(read(IIR)).toBe(0xc1);
    await pass(4 * CHARACTER_US + BIT_US);
    expect(read(IIR)).toBe(0xcc);
  });

  it('loses the 17th character in FIFO mode, and the one before in character mode, and says so', async () => {
    const fifo = await createBench();
    fifo.terminal.type(Array.from({ length: 17 }, (_, index) => index));
    await fifo.pass(18 * CHARACTER_US);
    expect(fifo.read(LSR)).toBe(0x63);
    expect(fifo.read(LSR)).toBe(0x61);
    for (let value = 0; value < 16; value++) expect(fifo.read(RBR)).toBe(value);
    expect(fifo.read(LSR)).toBe(0x60);

    const single = await createBench({ kind: '16450' });
    single.terminal.type([1, 2]);
    await single.pass(3 * CHARACTER_US);
    expect(single.read(LSR)).toBe(0x63);
    expect(single.read(RBR)).toBe(2);
  });

  it('shows the errors of a character when it is the next one, and only once', async () => {
    const { terminal, write, read, pass } = await createBench();
    write(IER, 0x05);
    terminal.type([1, { value: 2, damage: 'parity' }, { value: 3, damage: 'framing' }, 4]);
    await pass(5 * CHARACTER_US);
    expect(read(LSR)).toBe(0xe1);
    read(RBR);
    expect(read(IIR)).toBe(0xc6);
    expect(read(LSR)).toBe(0xe5);
    expect(read(LSR)).toBe(0xe1);
    read(RBR);
    expect(read(LSR)).toBe(0xe9);
    read(RBR);
    expect(read(LSR)).toBe(0x61);
  });

  it('shows a break as one character of zeros, however long it lasts', async () => {
    const { uart, read, pass } = await createBench();
    uart.receiveBreak(true);
    await pass(100 * CHARACTER_US);
    uart.receiveBreak(false);
    expect(read(LSR)).toBe(0xf9);
    expect(read(RBR)).toBe(0);
    expect(read(LSR)).toBe(0x60);
  });

  it('finds wrong parity by the format of the sender', async () => {
    const { uart, write, read } = await createBench();
    write(LCR, 0x1b); // even
    const format = { ...uart.format, parity: 'odd' } as const;
    uart.receive({ value: 0x55, format });
    expect(read(LSR) & 0x0d).toBe(0x05);
    uart.receive({ value: 0x55, format: uart.format });
    read(RBR);
    expect(read(LSR) & 0x0d).toBe(0x01);
    uart.receive({ value: 0x55, format: { ...uart.format, bitUs: 2 * uart.format.bitUs } });
    read(RBR);
    expect(read(LSR) & 0x0d).toBe(0x09);
  });
});

it('gives interrupts by their priority', async () => {
  const { uart, terminal, write, read, pass } = await createBench();
  write(FCR, 0x07); // trigger 1
  write(IER, 0x0f);
  uart.setInputs({ cts: true });
  terminal.type([{ value: 1, damage: 'parity' }]);
  await pass(2 * CHARACTER_US);
  expect(read(IIR)).toBe(0xc6);
  read(LSR);
  expect(read(IIR)).toBe(0xc4);
  read(RBR);
  expect(read(IIR)).toBe(0xc2);
  expect(read(IIR)).toBe(0xc0);
  expect(read(MSR)).toBe(0x11);
  expect(read(IIR)).toBe(0xc1);
});

it('notes changes of the modem lines; of RI the end only', async () => {
  const { uart, read } = await createBench();
  uart.setInputs({ ri: true, dcd: true });
  expect(read(MSR)).toBe(0xc8);
  expect(read(MSR)).toBe(0xc0);
  uart.setInputs({ ri: false });
  expect(read(MSR)).toBe(0x84);
});

it('connects its own outputs and inputs in loopback', async () => {
  const { terminal, write, read, pass } = await createBench();
  write(MCR, 0x1f);
  expect(read(MSR) & 0xf0).toBe(0xf0);
  expect(terminal.seen).toEqual({ dtr: false, rts: false });
  write(RBR, 0x5a);
  terminal.type([0x77]);
  await pass(3 * CHARACTER_US);
  expect(read(RBR)).toBe(0x5a);
  expect(read(LSR)).toBe(0x60);
  expect(terminal.screen).toEqual([]);
});

it('raises its line only with OUT2, where OUT2 connects it', async () => {
  const heard: number[] = [];
  const { irq, sim, write, pass } = await createBench();
  irq.attach(() => {
    heard.push(sim.clock.nowUs());
    write(IER, 0);
    return 'handled';
  });
  irq.enable();
  write(MCR, 0x00);
  write(IER, 0x02);
  await pass(1000);
  expect(heard).toHaveLength(0);
  write(MCR, 0x08);
  await pass(1000);
  expect(heard).toHaveLength(1);
});

it('empties both FIFOs when the mode changes', async () => {
  const { terminal, write, read, pass } = await createBench();
  terminal.type([1, 2, 3]);
  await pass(4 * CHARACTER_US);
  write(FCR, 0x00);
  expect(read(LSR)).toBe(0x60);
  expect(read(IIR)).toBe(0x01);
});

it.each([
  ['8250', 0x01, 0xff],
  ['16450', 0x01, 0x5a],
  ['16550', 0x81, 0x5a],
  ['16550A', 0xc1, 0x5a],
] as const)('a %s tells itself by IIR and scratch register', async (kind, iir, scratch) => {
  const { write, read } = await createBench({ kind });
  write(7, 0x5a);
  expect([read(IIR), read(7)]).toEqual([iir, scratch]);
});
