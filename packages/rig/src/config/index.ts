export type { CheckedConfig, CheckedDevice, CheckedExport, Isolation } from './checked-config.ts';
export { ConfigError } from './config-error.ts';
export type { ConfigSource } from './config-source.ts';
export { type ConfigPath, formatPath, formatProblem, type Problem } from './problem.ts';
export { type ReadConfigOptions, readConfig } from './read-config.ts';
export { configSchema } from './config-schema.ts';
