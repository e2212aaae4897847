import { type Logger, SILENT } from '@ring3/core';
import { expect, it } from 'vitest';
import { plugIntoCable } from './cable.ts';

function plug(name: string, log: Logger) {
  const format = { bitUs: 100, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  return plugIntoCable(name, { format, connect() {}, receive() {}, receiveBreak() {}, setInputs() {} }, log);
}

it('tells an end whose other end is missing, and when both are there', () => {
  const said: string[] = [];
  const log = { ...SILENT, info: (message: string) => said.push(message) };
  const unplug = plug('told', log);
  expect(said.splice(0)).toEqual([
    'cable "told": nothing at the other end yet; it joins UARTs of one process, with isolation: inline',
  ]);
  plug('told', log);
  expect(said.splice(0)).toEqual(['cable "told": joined']);
  unplug();
});
