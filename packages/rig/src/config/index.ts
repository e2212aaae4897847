export type { CheckedConfig, CheckedDevice, CheckedExport, Isolation } from './checked-config.ts';
export { ConfigError } from './config-error.ts';
export { configSchema } from './config-schema.ts';
export type { ConfigSource } from './config-source.ts';
export { formatProblem, type Problem } from './problem.ts';
export { readConfig } from './read-config.ts';
