import {
  BLOCK_DEVICE,
  type BlockDevice,
  type Logger,
  type PublishedService,
  type ServiceDirectory,
  SystemClock,
} from '@ring3/core';
import { connectServices, followDisk, ReconnectingDisk, type ServiceConnection, WIRES } from '@ring3/rig';
import { inWords } from '../end-on-defect.ts';

/** What the front holds of one device: its services, through every generation of its host. */
export class HostLink {
  readonly #device: string;
  readonly #services: ServiceDirectory;
  readonly #log: Logger;
  readonly #disks = new Map<string, ReconnectingDisk>();
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
    return [...this.#disks.keys()];
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

  async #arrive(offer: PublishedService, connection: ServiceConnection): Promise<void> {
    if (offer.className !== BLOCK_DEVICE.name) return;
    const { info } = offer.service as BlockDevice;
    const known = this.#disks.get(offer.name);
    const disk = known ?? new ReconnectingDisk(info, { clock: this.#clock, log: this.#log, name: offer.name });
    await followDisk(disk, connection, offer);
    if (known !== undefined) return;
    this.#disks.set(offer.name, disk);
    const withdraw = this.#services.publish(BLOCK_DEVICE, offer.name, disk);
    void disk.withdrawn.then((reason) => {
      this.#disks.delete(offer.name);
      withdraw(reason);
    });
  }
}
