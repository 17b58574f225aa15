import { whyRefusedVariable } from '../../common/program-variables.ts'
import { requestedByKind, requestedKinds } from '../stages/requested.ts'
import { within, type Report } from './problems.ts'
import { hasWeights, resultOf, type ProgramResult, type ProgramSpec } from './program.ts'
import type { Spec } from './spec.ts'

/** Checks the external programs of a spec, and what needs a model that is trained here. */
export function checkPrograms(spec: Spec, report: Report): void {
  const { model, methods } = spec
  methods.forEach((row, i) => {
    const inner = within(['methods', i], report)
    if (row.method === 'external') {
      const result = resultOf(row, model)
      checkProgram(row, result, inner)
      checkResult(result, spec, inner)
    } else if (model.name === 'external' && row.method !== 'original' && row.method !== 'retrain')
      inner(
        ['method'],
        `${row.method} changes the weights of a model of Zeroshift, and the model is external; expected original, retrain or external`,
      )
  })
  if (model.name !== 'external') return
  checkProgram(model, model.result, within(['model'], report))
  if (spec.training)
    report(
      ['training'],
      'the program of an external model decides how it is trained; leave training out, and give the program model.options',
    )
  const fromElsewhere = [
    ...(spec.original ? [['original']] : []),
    ...(['from', 'training'] as const).flatMap((name) => (spec.gold[name] ? [['gold', name]] : [])),
  ]
  for (const path of fromElsewhere)
    report(path, `${path.join('.')} is for models of Zeroshift, and the model is external; leave it out`)
  if (spec.tune)
    report(['tune'], 'an external model has no methods whose options could be tuned; leave tune out')
  for (const kind of requestedKinds)
    if (spec[kind] && requestedByKind[kind].needsWeights)
      report(
        [kind],
        `${kind} reads the weights of models, and an external model has outputs alone; leave ${kind} out`,
      )
}

/**
 * Checks the variables of a program, and that it has a command `predict` exactly if its result is
 * of that form.
 */
function checkProgram({ predict, variables = [] }: ProgramSpec, result: ProgramResult, report: Report): void {
  variables.forEach((name, i) => {
    const reason = whyRefusedVariable(name)
    if (reason !== undefined) report(['variables', i], `${name} ${reason}`)
  })
  if (result === 'predict' && predict === undefined)
    report(
      ['predict'],
      'predict is missing: expected the command that computes logits with the model of the program; or set result: logits',
    )
  if (result !== 'predict' && predict !== undefined)
    report(['predict'], `a program with result: ${result} needs no second command; leave predict out`)
}

/** Checks that the model has weights in the form that a method's program leaves. */
function checkResult(result: ProgramResult, { model }: Spec, report: Report): void {
  if (hasWeights(result) && model.name === 'external')
    report(
      ['result'],
      `result: ${result} is for a model whose layers are known, and the model is external; expected predict or logits`,
    )
  else if (result === 'adapter' && model.name !== 'pretrained')
    report(
      ['result'],
      `result: adapter is for a model that PEFT knows, and the model is ${model.name}; expected weights, predict or logits`,
    )
}
