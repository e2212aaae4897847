import type { Timer } from '@ring3/core';
import type { Execution } from './execution.ts';
import { describeCommand, describeRegisters } from './failure.ts';
import { GONE_AFTER_US, Presence, SLOW_AFTER_US, type WaitContext } from './wait-ready.ts';

/** It looks this often, so that a removed device is noticed well within a second. */
const LOOK_US = 400_000;
/** And this often while a device is busy after the last block of a read, which no interrupt ends. */
const LOOK_SOON_US = 1_000;

/**
 * Looks after a command that waits for an interrupt: nobody waits for one without a timer. Notices what an interrupt
 * cannot tell: that it was lost, that the device is gone, that the time is up.
 */
export class Watchdog {
  readonly #context: WaitContext;
  readonly #lostInterruptUs: number;
  readonly #onLostInterrupt: (execution: Execution) => void;
  #timer: Timer | undefined;
  #presence: Presence;
  #saidSlow = false;

  /** @param onLostInterrupt called when a command moved on although its interrupt had not come. */
  constructor(context: WaitContext, lostInterruptUs: number, onLostInterrupt: (execution: Execution) => void) {
    this.#context = context;
    this.#presence = new Presence(context);
    this.#lostInterruptUs = lostInterruptUs;
    this.#onLostInterrupt = onLostInterrupt;
  }

  /** Begins to look after a command. */
  guard(execution: Execution): void {
    this.#presence = new Presence(this.#context);
    this.#saidSlow = false;
    this.#lookLater(execution);
  }

  /** The command has come to where no interrupt will end it. */
  hurry(execution: Execution): void {
    this.#timer?.cancel();
    this.#lookLater(execution);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(execution: Execution): void {
    const calm = this.#presence.doubtful ? GONE_AFTER_US : LOOK_US;
    const timer = this.#context.clock.after(execution.endsWithoutInterrupt ? LOOK_SOON_US : calm, () => {
      try {
        this.#look(execution);
      } catch (error) {
        execution.abandon(error);
      }
      if (!execution.over && this.#timer === timer) this.#lookLater(execution);
    });
    this.#timer = timer;
  }

  #look(execution: Execution): void {
    const { taskFile, clock } = this.#context;
    const silentUs = clock.nowUs() - execution.lastProgressUs;
    const status = taskFile.peek();
    if (this.#presence.isLost(status)) {
      execution.fail('gone', 'every register reads all ones, nothing drives the bus', status);
    } else if (execution.isOccupied(status)) {
      execution.lookWhileOccupied();
    } else {
      this.#lookAtReady(execution, silentUs);
    }
    if (execution.over) return;
    if (silentUs >= execution.command.timeoutUs) {
      execution.timedOut(status);
    } else if (silentUs >= SLOW_AFTER_US && !this.#saidSlow) {
      this.#saySlow(execution, status);
    }
  }

  /** Not busy, and no interrupt yet: it may be on its way, lost, or not due. */
  #lookAtReady(execution: Execution, silentUs: number): void {
    const lost = silentUs >= this.#lostInterruptUs;
    // Without AltStatus, looking has acknowledged the interrupt: it will not come any more.
    const mayAct = execution.endsWithoutInterrupt || !this.#context.taskFile.hasControl;
    if (lost) {
      if (execution.advanceWithoutInterrupt()) this.#onLostInterrupt(execution);
    } else if (mayAct) {
      execution.advance();
    }
  }

  #saySlow(execution: Execution, status: number): void {
    this.#saidSlow = true;
    const { log, name } = this.#context;
    const what = `${name}: ${describeCommand(execution.command)}`;
    log.warn(`${what}: slow to respond, please be patient (${describeRegisters(status)})`);
  }
}
