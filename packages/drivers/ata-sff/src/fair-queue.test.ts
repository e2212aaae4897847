import { DeviceError } from '@ring3/core';
import { expect, it } from 'vitest';
import { FairQueue } from './fair-queue.ts';

function setUp() {
  const queue = new FairQueue();
  const order: string[] = [];
  const job = (name: string) => async () => {
    order.push(name);
    await Promise.resolve();
    return name;
  };
  return { queue, order, job };
}

it('runs one job at a time, the two devices taking turns', async () => {
  const { queue, order, job } = setUp();
  const jobs = [
    ...['a1', 'a2', 'a3'].map((name) => queue.run(0, job(name))),
    ...['b1', 'b2'].map((name) => queue.run(1, job(name))),
  ];
  expect(await Promise.all(jobs)).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
  expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
});

it('goes on after a job that failed', async () => {
  const { queue, job } = setUp();
  const failing = queue.run(0, () => Promise.reject(new Error('no')));
  const next = queue.run(0, job('next'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('next');
});

it('refuses what waits when it is closed, and waits for what runs', async () => {
  const { queue, order, job } = setUp();
  const refusal = new DeviceError('closed', 'the driver stops');
  const running = queue.run(0, job('running'));
  const waiting = queue.run(1, job('waiting'));
  const refused = expect(waiting).rejects.toBe(refusal);
  await queue.close(refusal);
  expect(await running).toBe('running');
  await refused;
  await expect(queue.run(0, job('late'))).rejects.toBe(refusal);
  expect(order).toEqual(['running']);
});
