/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  /** Where: keys and indices from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A validator of options: the part of the "Standard Schema" interface (version 1) that ring3 uses. zod schemas have it,
 * so a driver writes `options: z.strictObject({ ... })` while core depends on no validator.
 */
export interface OptionsSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value: Output; readonly issues?: undefined }
      | { readonly issues: readonly SchemaIssue[] }
      | Promise<{ readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}
