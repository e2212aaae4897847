import type { Logger } from '@ring3/core';
import type { FarEnd, UartLine } from './line.ts';

/** A UART that a cable can be plugged into. */
interface Socket extends UartLine {
  connect(farEnd: FarEnd): void;
}

/** A null modem cable: RTS to CTS, DTR to DSR and DCD, crossed data. */
export function connectUarts(a: Socket, b: Socket): void {
  a.connect(endOf(b));
  b.connect(endOf(a));
}

function endOf(uart: UartLine): FarEnd {
  return {
    character: (character) => uart.receive(character),
    break: (on) => uart.receiveBreak(on),
    outputs: ({ dtr, rts }) => uart.setInputs({ cts: rts, dsr: dtr, dcd: dtr }),
  };
}

/** Cables of which one end is plugged in, by their names. */
const dangling = new Map<string, Socket>();

/** Plugs a UART into the cable with this name. @returns a function that takes it out again, if nobody is at the other end. */
export function plugIntoCable(name: string, uart: Socket, log: Logger): () => void {
  const other = dangling.get(name);
  if (other === undefined) {
    dangling.set(name, uart);
    log.info(`cable "${name}": nothing at the other end yet; it joins UARTs of one process, with isolation: inline`);
  } else {
    dangling.delete(name);
    connectUarts(uart, other);
    log.info(`cable "${name}": joined`);
  }
  return () => {
    if (dangling.get(name) === uart) dangling.delete(name);
  };
}
