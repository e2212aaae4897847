import { runGuestSuite } from '../src/guest-suite.ts';

await runGuestSuite({
  files: ['packages/backend-uio/src/uio.guest.test.ts'],
  devices: ['edu', 'edu', 'sdhci-pci', 'pci-testdev', 'pci-serial', 'pci-serial-echo'],
});
