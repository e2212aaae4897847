import { runGuestSuite } from '../src/guest-suite.ts';

await runGuestSuite({
  files: ['packages/drivers/uart-16550/src/uart-16550.guest.test.ts'],
  devices: ['edu', 'edu', 'sdhci-pci', 'pci-testdev', 'pci-serial', 'pci-serial-echo'],
});
