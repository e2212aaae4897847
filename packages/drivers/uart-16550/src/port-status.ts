import type { SerialErrors, SerialInputs, SerialOutputs, SerialSettings, SerialStatus } from '@ring3/core';
import { BehaviorSubject, type Observable } from 'rxjs';

const NO_ERRORS: SerialErrors = { overruns: 0, bufferOverruns: 0, parity: 0, framing: 0, breaks: 0, interruptions: 0 };
const NO_INPUTS: SerialInputs = { cts: false, dsr: false, dcd: false, ri: false };

/** The state of the port. Errors are collected inside an interrupt and told at its end, all as one change. */
export class PortStatus {
  readonly #subject: BehaviorSubject<SerialStatus>;
  readonly #errors: { -readonly [Key in keyof SerialErrors]: number } = { ...NO_ERRORS };
  #errorsChanged = false;

  constructor(settings: SerialSettings, outputs: SerialOutputs) {
    this.#subject = new BehaviorSubject<SerialStatus>({ settings, outputs, inputs: NO_INPUTS, errors: NO_ERRORS });
  }

  get now(): SerialStatus {
    return this.#subject.value;
  }

  get changes$(): Observable<SerialStatus> {
    return this.#subject.asObservable();
  }

  /** Counts an error; told by {@link tell}. */
  count(error: keyof SerialErrors): void {
    this.#errors[error]++;
    this.#errorsChanged = true;
  }

  /** Tells what was counted. */
  tell(): void {
    if (!this.#errorsChanged) return;
    this.#errorsChanged = false;
    this.change({ errors: { ...this.#errors } });
  }

  change(part: Partial<SerialStatus>): void {
    this.#subject.next({ ...this.now, ...part });
  }

  end(): void {
    this.tell();
    this.#subject.complete();
  }
}
