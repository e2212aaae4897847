import { readdirSync, readFileSync } from 'node:fs';
import { SILENT } from '@ring3/core';
import { UioBackend } from '../backend.ts';
import { applyBinding } from '../binding/apply-binding.ts';
import { planBinding } from '../binding/plan-binding.ts';
import type { UioSelector } from '../selector.ts';

// QEMU's edu in the virtual machine: docs/specs/edu.rst.

export const PCI = '/sys/bus/pci/devices';
export const IDENTITY = 0x00;
export const RAISE = 0x60;
export const ACKNOWLEDGE = 0x64;
export const DMA_SOURCE = 0x80;
export const DMA_TARGET = 0x88;

export const inMachine = process.env['RING3_VM'] === '1';
export const attribute = (address: string, name: string) => readFileSync(`${PCI}/${address}/${name}`, 'latin1').trim();
export const edus: readonly string[] = inMachine
  ? readdirSync(PCI).filter(
      (address) => attribute(address, 'vendor') === '0x1234' && attribute(address, 'device') === '0x11e8',
    )
  : [];
export const [EDU = '', OTHER = ''] = edus;

export const selectorOf = (pci: string): UioSelector => ({ select: { pci }, spaces: { bar0: { widths: [32] } } });
export const bind = (address = EDU) => applyBinding(planBinding({}, 'bind', address));
export const unbind = (address = EDU) => applyBinding(planBinding({}, 'unbind', address));
export const newBackend = () => new UioBackend({ log: SILENT });
export const milliseconds = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
