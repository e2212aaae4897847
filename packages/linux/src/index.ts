export { pageSizeBytes } from './libc.ts';
export { deviceErrorOf, errnoOf, SystemCallError } from './system-call-error.ts';
