import { wilsonInterval } from '../../common/interval.ts'
import type { Estimate } from '../../experiment/records/measured.ts'
import type { RuliAttacked, RuliFigure } from '../../experiment/stages/ruli.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import type { YieldControl } from '../yield-control.ts'
import { liraKernel } from './kernel-density.ts'
import { lira, varianceFor } from './lira.ts'
import type { Scores } from './pool.ts'
import type { Attacked } from './rmia.ts'
import { auc, tprAtFpr } from './roc.ts'
import { halves, mostVulnerable, vulnerability } from './vulnerable.ts'

/** A model under attack and its shadow models on members, followed by non-members. */
export interface MembersFirst extends Attacked {
  /** The number of members. */
  readonly members: number
}

/**
 * An attack in the manner of RULI (Naderloui et al. 2025, arXiv 2506.13009) on samples that shadow
 * models select in advance.
 *
 * 1. One half of the shadow models gives each sample its vulnerability. Of the members and of the
 *    non-members, the `share` with the greatest is selected: both by the same rule, which reads
 *    neither the attacked model nor gold.
 * 2. The other half attacks the selected samples, each by its own distributions of φ: Gaussians
 *    as in LiRA, and kernel densities as in the paper's code. For comparison it also attacks all
 *    samples.
 *
 * The paper trains further shadow models, unlearns from each of them by the method, and compares
 * these with out models. Here the in models trained on the sample, as in LiRA, so that one pool
 * serves all methods. A method is therefore found out by what is left of the training, and not by
 * other traces of the unlearning, which U-LiRA measures.
 */
export async function ruli(
  all: MembersFirst,
  share: number,
  yieldControl: YieldControl = () => Promise.resolve(),
): Promise<StageMetrics['ruli']> {
  const { selecting, attacking } = halves(all.shadow)
  await yieldControl()
  const found = all.target.length === 0 ? { scores: new Float64Array() } : vulnerability(selecting)
  const whole = { ...all, shadow: attacking }
  return {
    models: { selecting: selecting.models, attacking: attacking.models },
    variance: {
      selecting: varianceFor(selecting.models / 2),
      attacking: varianceFor(attacking.models / 2),
    },
    samples: {
      vulnerable:
        'missing' in found
          ? notAttacked(found.missing)
          : await attacked(mostVulnerableOf(whole, found.scores, share), yieldControl),
      all: await attacked(whole, yieldControl),
    },
  }
}

/** The most vulnerable members, followed by the most vulnerable non-members. */
export function mostVulnerableOf(
  { target, shadow, members }: MembersFirst,
  scores: Float64Array,
  share: number,
): MembersFirst {
  const ofMembers = mostVulnerable(scores.subarray(0, members), share)
  const ofOthers = mostVulnerable(scores.subarray(members), share)
  const positions = [...ofMembers, ...ofOthers.map((position) => members + position)]
  const from = Array.from({ length: shadow.models }, (_, m) =>
    positions.map((position) => m * shadow.samples + position),
  ).flat()
  return {
    members: ofMembers.length,
    target: Float64Array.from(positions, (i) => target[i] ?? NaN),
    shadow: {
      models: shadow.models,
      samples: positions.length,
      values: Float64Array.from(from, (i) => shadow.values[i] ?? NaN),
      members: Uint8Array.from(from, (i) => shadow.members[i] ?? NaN),
    },
  }
}

async function attacked(
  { target, shadow, members }: MembersFirst,
  yieldControl: YieldControl,
): Promise<RuliAttacked> {
  const nonMembers = target.length - members
  if (members === 0) return notAttacked('there are no members', nonMembers)
  if (nonMembers === 0) return { ...notAttacked('there are no non-members'), members }
  const run = async (attack: () => Scores) => {
    await yieldControl()
    return figuresOf(attack(), members)
  }
  return {
    members,
    nonMembers,
    attacks: {
      gaussian: await run(() => lira(target, shadow)),
      kernel: await run(() => liraKernel(target, shadow)),
    },
  }
}

function notAttacked(missing: string, nonMembers = 0): RuliAttacked {
  const none = figuresOf({ missing }, 0)
  return { members: 0, nonMembers, attacks: { gaussian: none, kernel: none } }
}

/** The figures of an attack. The first `members` scores are those of members. */
function figuresOf(answer: Scores, members: number): Readonly<Record<RuliFigure, Estimate>> {
  if ('missing' in answer) return { auc: answer, balancedAccuracy: answer, tprAt1: answer, tprAt01: answer }
  const [inside, outside] = [answer.scores.subarray(0, members), answer.scores.subarray(members)]
  return {
    auc: auc(inside, outside),
    balancedAccuracy: balancedAccuracy(inside, outside),
    tprAt1: tprAtFpr(inside, outside, 0.01),
    tprAt01: tprAtFpr(inside, outside, 0.001),
  }
}

/**
 * The mean of the share of members with a score above 0 and that of non-members with a score below
 * 0, in [0, 1]; a score of 0 counts half. The 95% interval is Wilson's for n = 4/(1/m + 1/k)
 * samples, which have the variance of the balanced accuracy of m members and k non-members.
 */
export function balancedAccuracy(members: Float64Array, nonMembers: Float64Array): Estimate {
  const right = (scores: Float64Array, sign: 1 | -1) =>
    scores.reduce((sum, score) => sum + (sign * score > 0 ? 1 : score === 0 ? 0.5 : 0), 0) / scores.length
  const value = (right(members, 1) + right(nonMembers, -1)) / 2
  const n = 4 / (1 / members.length + 1 / nonMembers.length)
  return { value, interval: wilsonInterval(value * n, n) }
}
