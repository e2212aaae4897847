import { expect, it } from 'vitest';
import { parseInterrupts } from './kernel-counter.ts';

const TEXT = `           CPU0       CPU1
  0:         47          0   IO-APIC    2-edge      timer
 11:          5          7   IO-APIC   11-fasteoi   uio_pci_generic, ehci_hcd:usb1
111:          1          1   PCI-MSI 524288-edge    eth0
NMI:          0          0   Non-maskable interrupts
ERR:          3
`;

it('adds up what all processors counted', () => {
  expect(parseInterrupts(TEXT, 11)).toBe(12);
  expect(parseInterrupts(TEXT, 111)).toBe(2);
  expect(parseInterrupts(TEXT, 1)).toBeUndefined();
});
