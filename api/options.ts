/** The part of the module `zeroshift` that a plug-in needs to declare its options. */

export { z } from 'zod'
export { epochDefaults, epochOptions, loraOptions } from '../experiment/spec/method-options.ts'
export { count, positive } from '../experiment/spec/numbers.ts'
export { optimizerSchema, scheduleSchema } from '../experiment/spec/optimizer.ts'
export { defineReader } from '../datasets/define-reader.ts'
export { defineModel } from '../experiment/models/define-model.ts'
export { defineScore } from '../unlearning/attacks/define-score.ts'
export { defineMethod } from '../unlearning/define-method.ts'
export { defineTarget } from '../unlearning/methods/rfa/define-target.ts'
