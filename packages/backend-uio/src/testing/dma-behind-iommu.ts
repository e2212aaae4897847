import { readlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { EDU, newBackend, PCI, selectorOf } from './edu.ts';

// Runs in a virtual machine with an IOMMU: what happens to who asks for DMA, first where it translates, then where it passes
// the addresses of edu on. One JSON object on stdout.

async function ask() {
  const backend = newBackend();
  const selector = { ...selectorOf(EDU), dma: { memory: 'huge-pages', sizeMiB: 2 } } as const;
  const { obstacles = [] } = await backend.describe(selector);
  const device = await backend.open(selector);
  try {
    return { obstacles, answer: device.openDma().memory };
  } catch (error) {
    return { obstacles, answer: String(error) };
  } finally {
    await backend.close();
  }
}

writeFileSync('/proc/sys/vm/nr_hugepages', '2');
const translated = await ask();
// The kernel lets that be changed while no driver has the function.
const group = basename(readlinkSync(`${PCI}/${EDU}/iommu_group`));
writeFileSync(`/sys/kernel/iommu_groups/${group}/type`, 'identity');
process.stdout.write(JSON.stringify({ translated, passed: await ask() }));
