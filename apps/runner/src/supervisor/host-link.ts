import {
  BLOCK_DEVICE,
  type BlockDevice,
  type Logger,
  type PublishedService,
  SERIAL_PORT,
  type SerialPort,
  type ServiceClass,
  type ServiceDirectory,
  SystemClock,
} from '@ring3/core';
import {
  connectServices,
  followDisk,
  followSerialPort,
  ReconnectingDisk,
  ReconnectingSerialPort,
  type ServiceConnection,
  WIRES,
} from '@ring3/rig';
import { inWords } from '../end-on-defect.ts';

/** What the front holds of one device: its services, through every generation of its host. */
export class HostLink {
  readonly #device: string;
  readonly #services: ServiceDirectory;
  readonly #log: Logger;
  readonly #disks = new Map<string, ReconnectingDisk>();
  readonly #serialPorts = new Map<string, ReconnectingSerialPort>();
  readonly #clock = new SystemClock();

  constructor(device: string, services: ServiceDirectory, log: Logger) {
    this.#device = device;
    this.#services = services;
    this.#log = log;
  }

  /** Connects to a host that says it is ready; resolves when its services are there. */
  async connect(socket: string, generation: number): Promise<void> {
    const connection = await connectServices(socket, { wires: WIRES, log: this.#log, session: 'front' });
    this.#log.debug(`connected to ${this.#device}, generation ${generation}`);
    const arriving: Promise<void>[] = [];
    connection.services.services$.subscribe((offer) => arriving.push(this.#arrive(offer, connection)));
    await Promise.all(arriving);
  }

  /** What its driver has published and not withdrawn, as `device/service`. */
  services(): string[] {
    return [...this.#disks.keys(), ...this.#serialPorts.keys()];
  }

  /**
   * Brings to the device what clients were told is written while its driver was away. A driver that is there flushes
   * when it stops.
   */
  async flushAfterOutage(waiting: (what: string) => void): Promise<void> {
    for (const [name, disk] of this.#disks) {
      const unwritten = disk.statistics['journalBytes'] ?? 0;
      if (disk.state === 'connected' || unwritten === 0) continue;
      waiting(`the driver of ${name} to come back and take ${unwritten} bytes that were acknowledged`);
      await disk.flush().catch((error: unknown) => {
        this.#log.error(`${name}: ${unwritten} bytes that were acknowledged are lost: ${inWords(error)}`);
      });
    }
  }

  #arrive(offer: PublishedService, connection: ServiceConnection): Promise<void> {
    if (offer.className === BLOCK_DEVICE.name) return this.#arriveDisk(offer, connection);
    if (offer.className === SERIAL_PORT.name) return this.#arriveSerialPort(offer, connection);
    return Promise.resolve();
  }

  async #arriveDisk(offer: PublishedService, connection: ServiceConnection): Promise<void> {
    const { info } = offer.service as BlockDevice;
    const known = this.#disks.get(offer.name);
    const disk = known ?? new ReconnectingDisk(info, { clock: this.#clock, log: this.#log, name: offer.name });
    await followDisk(disk, connection, offer);
    if (known === undefined) this.#publish(BLOCK_DEVICE, offer.name, disk, this.#disks);
  }

  async #arriveSerialPort(offer: PublishedService, connection: ServiceConnection): Promise<void> {
    const known = this.#serialPorts.get(offer.name);
    const port = known ?? new ReconnectingSerialPort(offer.service as SerialPort, { log: this.#log, name: offer.name });
    await followSerialPort(port, connection, offer);
    if (known === undefined) this.#publish(SERIAL_PORT, offer.name, port, this.#serialPorts);
  }

  /** Offers what survives the device host, until its driver itself takes it away. */
  #publish<T, Lasting extends T & { readonly withdrawn: Promise<string> }>(
    serviceClass: ServiceClass<T>,
    name: string,
    service: Lasting,
    known: Map<string, Lasting>,
  ): void {
    known.set(name, service);
    const withdraw = this.#services.publish(serviceClass, name, service);
    void service.withdrawn.then((reason) => {
      known.delete(name);
      withdraw(reason);
    });
  }
}
