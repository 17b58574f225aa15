import type { EvaluatedSet } from './measured.ts'

/** The sets of samples in words. */
export const setNames: Readonly<Record<EvaluatedSet, string>> = {
  retained: 'the retained set',
  forget: 'the forget set',
  validation: 'the validation samples',
  attackTest: 'the test samples that train attacks',
  test: 'the test samples that are scored',
  forgottenTest: 'the test samples of wholly forgotten classes',
}
