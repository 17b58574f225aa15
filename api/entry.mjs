/** What `import … from 'zeroshift'` loads: the compiled api/index.ts. */
import { load } from '../infra/compiled.mjs'
import { useNative } from '../infra/native.mjs'

useNative()
export const {
  count,
  defineMethod,
  defineModel,
  defineReader,
  defineScore,
  defineTarget,
  epochDefaults,
  epochOptions,
  loraOptions,
  optimizerSchema,
  plan,
  positive,
  readRun,
  run,
  scheduleSchema,
  UserError,
  z,
} = await load('api/index.ts')
