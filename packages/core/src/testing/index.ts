export { needsTools, type Tools, toolsMissing } from './require-tool.ts';
