export { type FakeBar, FakeMachine, type FakePci, type FakeUio as FakeUioOptions } from './fake-machine.ts';
export { type FakeDriver, FakeUio, kernelError } from './fake-uio.ts';
