/** What `import … from 'zeroshift'` loads: the compiled api/index.ts. */
import { load } from '../infra/compiled.mjs'
import { useNative } from '../infra/native.mjs'

useNative()
export const { plan, readRun, run, UserError } = await load('api/index.ts')
