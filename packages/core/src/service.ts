import { Observable, Subject } from 'rxjs';
import { DeviceError } from './device-error.ts';

/** A class of services, by name: two copies of a package that name the same class agree. `T` is what it offers. */
export interface ServiceClass<T> {
  readonly name: string;
  /** Never there at run time; carries the type. */
  readonly type?: T;
}

/** Names a class of services: `serviceClass<BlockDevice>('block-device')`. */
export function serviceClass<T>(name: string): ServiceClass<T> {
  return { name };
}

/** Where a driver publishes what it offers; services may appear and go while the driver runs. */
export interface Publisher {
  /**
   * Offers `service` under `name`, unique in its class on this device.
   * @returns a function that withdraws it, with the reason that its users are told.
   * @throws DeviceError `busy` when the name is taken.
   */
  publish<T>(serviceClass: ServiceClass<T>, name: string, service: T): (reason: string) => void;
}

/** One offer in a {@link ServiceDirectory}. */
export interface PublishedService {
  readonly className: string;
  readonly name: string;
  readonly service: unknown;
  /** Resolves with the reason when the service is withdrawn. */
  readonly withdrawn: Promise<string>;
}

/** The services of one device or of a rig. */
export class ServiceDirectory implements Publisher {
  readonly #services = new Map<string, PublishedService>();
  readonly #published = new Subject<PublishedService>();

  publish<T>({ name: className }: ServiceClass<T>, name: string, service: T): (reason: string) => void {
    const key = `${className}/${name}`;
    if (this.#services.has(key)) throw new DeviceError('busy', `a ${className} named ${name} is published already`);
    let resolve: (reason: string) => void = () => {};
    const withdrawn = new Promise<string>((done) => {
      resolve = done;
    });
    const published = { className, name, service, withdrawn };
    this.#services.set(key, published);
    this.#published.next(published);
    return (reason) => {
      if (this.#services.get(key) === published) this.#services.delete(key);
      resolve(reason);
    };
  }

  /** What is offered now, then what comes. */
  get services$(): Observable<PublishedService> {
    return new Observable((subscriber) => {
      for (const service of this.#services.values()) subscriber.next(service);
      return this.#published.subscribe(subscriber);
    });
  }

  list(): PublishedService[] {
    return [...this.#services.values()];
  }

  /** @throws DeviceError `not-found` that lists what there is. */
  get<T>({ name: className }: ServiceClass<T>, name: string): T {
    const found = this.#services.get(`${className}/${name}`);
    if (found === undefined) {
      const there = this.list().map((service) => `${service.className} ${service.name}`);
      throw new DeviceError('not-found', `no ${className} named ${name}; there is: ${there.join(', ') || 'nothing'}`);
    }
    return found.service as T;
  }
}
