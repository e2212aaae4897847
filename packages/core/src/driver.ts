import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';
import type { MatchRule } from './match.ts';
import type { Handles, Needs } from './needs.ts';
import type { OptionsSchema } from './options-schema.ts';
import type { Width } from './register-access.ts';
import type { RegisterLayout } from './register-layout.ts';
import type { Scope } from './scope.ts';
import type { Publisher, ServiceClass } from './service.ts';

/** What every driver gets beside the handles of its manifest. */
export interface DriverEnvironment {
  /** The name of the device in the configuration. */
  readonly name: string;
  /** The clock of the time that the device lives in; never `Date.now` or `setTimeout`. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly services: Publisher;
  /** Whether the hardware is simulated or emulated: passed on in everything that is provided. */
  readonly simulated: boolean;
}

/** One step that makes the device harmless, done by the supervisor when the driver is dead. */
export type QuiesceStep =
  | {
      readonly kind: 'write';
      readonly space: string;
      readonly width: Width;
      readonly offset: number;
      readonly value: number;
    }
  | {
      readonly kind: 'poll';
      readonly space: string;
      readonly width: Width;
      readonly offset: number;
      readonly mask: number;
      readonly equals: number;
      readonly timeoutUs: number;
    };

/** The sizes of the spaces that a device has, by the names of the manifest; what is missing is `undefined`. */
export type SpaceSizes<N extends Needs> = { readonly [Name in keyof N]?: number };

/** The registers of the spaces of a manifest, by the names of the spaces. */
export type Layouts<N extends Needs> = { readonly [Name in keyof N]?: RegisterLayout };

/** What a driver package says of itself; {@link defineDriver} takes it. */
export interface Driver<N extends Needs = Needs, Options = unknown, Instance = unknown> {
  readonly name: string;
  /** What it can drive. A configuration that names driver and device together may bind it to others. */
  readonly match: readonly MatchRule[];
  /** The handles it gets: nothing else of the device is opened. */
  readonly needs: N;
  /** What the configuration may say in `options:`. Default: nothing. */
  readonly options?: OptionsSchema<Options>;
  /** Classes of services that it may publish. */
  readonly provides: readonly ServiceClass<unknown>[];
  /** How long a clean stop may take (finish a command, flush). Default 5 s. */
  readonly stopTimeoutUs?: number;
  /** The steps that make the device harmless without the driver; a pure function, asked before `attach`. */
  quiesce?(sizes: SpaceSizes<N>, options: Options): readonly QuiesceStep[];
  /** The registers, for tools that show them by name (`ring3 peek ata0.status`); a pure function. */
  layouts?(sizes: SpaceSizes<N>, options: Options): Layouts<N>;
  /**
   * Brings the device up and publishes its services; whatever it acquires, it gives to `scope`.
   * A plain call: a test passes other handles.
   */
  attach(handles: Handles<N> & DriverEnvironment, options: Options, scope: Scope): Promise<Instance> | Instance;
}

/** A manifest cannot name a handle like something that every driver gets. */
type NoneOfTheEnvironment = { readonly [Name in keyof DriverEnvironment]?: never };

/** Declares a driver: checks the types, infers the handles, changes nothing. */
export function defineDriver<
  const N extends Needs & NoneOfTheEnvironment,
  Options = Record<never, never>,
  Instance = unknown,
>(driver: Driver<N, Options, Instance>): Driver<N, Options, Instance> {
  return driver;
}
