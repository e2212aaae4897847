import type { FaultPlan, RegisterFault } from '@ring3/backend-sim';
import { pick, type Random, seededRandom } from '@ring3/core/testing';

/** Registers of channel 0 of the bus master. */
const MASTER_STATUS = 2;
const WRITTEN = [0, 2, 4];

/**
 * A plan with what goes wrong between a controller and memory. Left out is what no driver can notice: transfers that are
 * lost or changed while the device takes them for done, and a bus master that was told another direction or another table.
 */
export function withDmaFaults(plan: FaultPlan, seed: number): FaultPlan {
  const random = seededRandom(seed + 0x5f37_59df);
  const kinds = [
    () => ({ dma: [{ ...occurrence(random, 20), abort: true as const }] }),
    () => ({ dma: [{ ...occurrence(random, 40), delayUs: 10 ** pick(random, 8) }] }),
    () => ({ registers: [masterFault(random)] }),
    () => ({ registers: [{ ...MASTER_READ, ...occurrence(random, 40), xor: 1 << pick(random, 3) }] }),
  ];
  const more: FaultPlan[] = Array.from(
    { length: 1 + pick(random, 2) },
    () => kinds[pick(random, kinds.length)]?.() ?? {},
  );
  // A distortion of the plan is enough: two might agree on a lie.
  const distorts = (plan.registers ?? []).some(({ value, xor, stuckBits }) => value ?? xor ?? stuckBits);
  const registers = more.flatMap((each) => each.registers ?? []).filter(({ xor }) => xor === undefined || !distorts);
  return {
    ...plan,
    registers: [...(plan.registers ?? []), ...registers],
    dma: more.flatMap((each) => each.dma ?? []),
  };
}

const MASTER_READ = { space: 'busMaster', offset: MASTER_STATUS, access: 'read' } as const;

/** A write of the bus master that is lost, doubled or late. */
function masterFault(random: Random): RegisterFault {
  const effects = [{ drop: true }, { duplicate: true }, { delayUs: 10 ** pick(random, 7) }] as const;
  const effect = effects[pick(random, effects.length)] ?? { drop: true };
  const offset = WRITTEN[pick(random, WRITTEN.length)] ?? 0;
  return { space: 'busMaster', offset, access: 'write', ...occurrence(random, 60), ...effect };
}

function occurrence(random: Random, rarity: number) {
  const kind = pick(random, 3);
  if (kind === 0) return { nth: 1 + pick(random, rarity) };
  if (kind === 1) return { every: 2 + pick(random, rarity) };
  return { probability: (1 + pick(random, 5)) / rarity };
}
