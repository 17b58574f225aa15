import type { Evidence } from './deletion.ts'

/** Whether a model meets an acceptance rule: every figure is within its limit. */
export function meetsRule(evidence: readonly Evidence[]): boolean {
  return evidence.length > 0 && evidence.every(({ accepted }) => accepted)
}

/**
 * Whether the rule tells a model apart from the model in use before it: at least one figure of the
 * model in use is above its limit. A figure that is missing tells nothing apart.
 */
export function isToldApart(evidence: readonly Evidence[]): boolean {
  return evidence.some(({ before, limit }) => typeof before?.value === 'number' && before.value > limit)
}
