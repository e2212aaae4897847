/** Where a configuration comes from. Plain data, so that it can be sent to another process. */
export interface ConfigSource {
  /** The YAML file. With `value`: the file that paths are relative to and that messages name. */
  readonly file?: string;
  /** The configuration itself, instead of the content of `file`. */
  readonly value?: unknown;
  /** Values that replace those of the configuration, by dotted path: `devices.ata0.backend.options.image`. */
  readonly set?: Readonly<Record<string, unknown>>;
}
