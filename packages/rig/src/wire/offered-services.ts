import { DeviceError, type Logger, type PublishedService, type ServiceDirectory } from '@ring3/core';
import { type Observable, Subject } from 'rxjs';
import type { Offer } from './messages.ts';
import type { ServiceWire, WireCall } from './service-wire.ts';

/** A service that left. */
export interface Departure {
  readonly service: number;
  readonly reason: string;
}

interface Offered {
  readonly offer: Offer;
  serve(call: WireCall): Promise<unknown>;
}

/** The services of a directory that have a wire, under the numbers that they have on the socket. */
export class OfferedServices {
  readonly #wires: ReadonlyMap<string, ServiceWire<unknown>>;
  readonly #log: Logger;
  readonly #offered = new Map<number, Offered>();
  readonly #withdrawn = new Map<number, string>();
  readonly #came = new Subject<Offer>();
  readonly #went = new Subject<Departure>();
  readonly #stop: () => void;
  #next = 1;

  constructor(directory: ServiceDirectory, wires: readonly ServiceWire<unknown>[], log: Logger) {
    this.#wires = new Map(wires.map((wire) => [wire.serviceClass.name, wire]));
    this.#log = log;
    const subscription = directory.services$.subscribe((published) => this.#add(published));
    this.#stop = () => subscription.unsubscribe();
  }

  list(): Offer[] {
    return [...this.#offered.values()].map(({ offer }) => offer);
  }

  /** What comes from now on. */
  get came$(): Observable<Offer> {
    return this.#came.asObservable();
  }

  /** What goes from now on. */
  get went$(): Observable<Departure> {
    return this.#went.asObservable();
  }

  /** @throws DeviceError `gone` with the reason for a service that was withdrawn, `not-found` for one that never was. */
  get(service: number): Offered {
    const offered = this.#offered.get(service);
    if (offered !== undefined) return offered;
    const reason = this.#withdrawn.get(service);
    if (reason !== undefined) throw new DeviceError('gone', reason);
    throw new DeviceError('not-found', `there is no service ${service} on this socket`);
  }

  close(): void {
    this.#stop();
  }

  #add(published: PublishedService): void {
    const wire = this.#wires.get(published.className);
    if (wire === undefined) {
      this.#log.debug(
        `${published.className} ${published.name} is not offered to other processes: its class has no wire`,
      );
      return;
    }
    const number = this.#next++;
    const info = wire.describe(published.service);
    const offer: Offer = { service: number, class: published.className, name: published.name, info };
    this.#offered.set(number, { offer, serve: (call) => wire.serve(published.service, call) });
    this.#came.next(offer);
    void published.withdrawn.then((reason) => {
      this.#offered.delete(number);
      this.#withdrawn.set(number, reason);
      this.#went.next({ service: number, reason });
    });
  }
}
