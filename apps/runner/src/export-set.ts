import type { Logger, PublishedService, ServiceDirectory } from '@ring3/core';
import type { CheckedExport, Exporter, RunningExport } from '@ring3/rig';
import { KnownDisks } from './known-disks.ts';
import type { ExportSummary } from './running-rig.ts';
import { describeService } from './summary.ts';

/** What an {@link ExportSet} gets from the process it lives in. */
export interface ExportSetOptions {
  readonly log: Logger;
  readonly runtimeDirectory: string;
  /** Told when an export starts or ends. */
  readonly changed?: (service: string, exported: ExportSummary | undefined, reason: string) => void;
}

/**
 * The exports of a configuration, started as their services appear and ended as they go. A disk that comes back as
 * another one is not exported: {@link KnownDisks}.
 */
export class ExportSet {
  readonly #exports: readonly CheckedExport[];
  readonly #exporters = new Map<string, Exporter>();
  readonly #running = new Map<string, ExportSummary>();
  readonly #known = new KnownDisks();
  readonly #options: ExportSetOptions;
  readonly #following: { unsubscribe(): void }[] = [];
  #starting: Promise<void> = Promise.resolve();
  #closing = false;
  #rejectFailed: (error: unknown) => void = () => {};
  /** Rejects when an export cannot start: the address is in use, say. */
  readonly failed: Promise<never>;

  constructor(exports: readonly CheckedExport[], options: ExportSetOptions) {
    this.#exports = exports;
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#rejectFailed = reject;
    });
    this.failed.catch(() => {});
  }

  /** Follows a directory with names of the form `device/service`, until {@link drain}. */
  follow(directory: ServiceDirectory): void {
    const subscription = directory.services$.subscribe((offer) => {
      for (const wanted of this.#exports) {
        if (wanted.service !== offer.name || wanted.module.serviceClass.name !== offer.className) continue;
        this.#starting = this.#starting.then(() => this.#start(wanted, offer));
      }
    });
    this.#following.push(subscription);
  }

  /** Waits until every service seen so far is exported; names the configured exports whose service never appeared. */
  async settled(): Promise<readonly string[]> {
    await Promise.race([this.#starting, this.failed]);
    return this.#exports.map(({ service }) => service).filter((service) => !this.#running.has(service));
  }

  list(): readonly ExportSummary[] {
    return [...this.#running.values()];
  }

  /** Takes no new requests and answers those under way. */
  async drain(timeoutUs: number, waiting: (what: string) => void): Promise<void> {
    this.#stopFollowing();
    await this.#starting;
    await Promise.all([...this.#exporters.values()].map((exporter) => exporter.drain(timeoutUs, waiting)));
  }

  /** Ends all connections and removes the sockets. */
  async close(): Promise<void> {
    this.#stopFollowing();
    await Promise.all([...this.#exporters.values()].map((exporter) => exporter.close()));
  }

  /** From now on services come and go without anybody being told: it is this end that closes. */
  #stopFollowing(): void {
    this.#closing = true;
    for (const subscription of this.#following) subscription.unsubscribe();
  }

  async #start(wanted: CheckedExport, offer: PublishedService): Promise<void> {
    if (this.#closing) return;
    const strangeness = this.#known.strangeness(offer);
    if (strangeness !== undefined) {
      const remedy = 'not exported, since clients would take it for the old one: start ring3 anew to serve it';
      this.#options.log.error(`${offer.name}: ${strangeness}: ${remedy}`);
      return;
    }
    try {
      const exported = await this.#exporter(wanted).start(offer.service, offer.name, wanted.options);
      const summary = summarize(exported, offer);
      this.#running.set(offer.name, summary);
      this.#options.changed?.(offer.name, summary, '');
      void offer.withdrawn.then((reason) => this.#end(offer.name, exported, reason));
    } catch (error) {
      this.#rejectFailed(error);
    }
  }

  async #end(service: string, exported: RunningExport, reason: string): Promise<void> {
    if (this.#closing || !this.#running.delete(service)) return;
    this.#options.changed?.(service, undefined, reason);
    await exported.withdraw(reason);
  }

  #exporter(wanted: CheckedExport): Exporter {
    let exporter = this.#exporters.get(wanted.type);
    if (exporter === undefined) {
      const { log, runtimeDirectory } = this.#options;
      exporter = wanted.module.create({ log, runtimeDirectory });
      this.#exporters.set(wanted.type, exporter);
    }
    return exporter;
  }
}

function summarize(exported: RunningExport, offer: PublishedService): ExportSummary {
  const { what, simulated } = describeService(offer);
  return { service: offer.name, uri: exported.uri, what, simulated };
}

/** What the log says of an export whose service no driver offers. */
export function notPublished(service: string, there: readonly string[]): string {
  return `${service} is not exported: the driver has not published it; there is: ${there.join(', ') || 'nothing'}`;
}

/** Says in the log what appears and goes. */
export function announce(
  log: Logger,
): (service: string, exported: { readonly uri: string } | undefined, reason: string) => void {
  return (service, exported, reason) => {
    if (exported === undefined) log.warn(`${service} is no longer exported: ${reason}`);
    else log.info(`${service} is served at ${exported.uri}`);
  };
}
