import { expect, test } from 'vitest'
import { ProgramError, ProgramKilledError } from '../../../programs/errors.ts'
import { packFolder } from '../../../programs/folder.ts'
import { readAdapterResult, readLogitsResult, readWeightsResult } from '../../../programs/result.ts'
import { errorOf } from '../../support/errors.ts'
import { outputOf, tryProgram, type TryOptions } from '../../support/programs.ts'

/**
 * Real programs that do something wrong. Each has to be told what is wrong, and where.
 */

type Reader = (output: string) => Promise<unknown>

const logits: Reader = (output) => readLogitsResult(output, 6, 3)
const weights: Reader = (output) =>
  readWeightsResult(output, [
    { name: 'head.weight', shape: [4, 3] },
    { name: 'head.bias', shape: [3] },
  ])
const adapter: Reader = (output) => readAdapterResult(output)
const folder: Reader = (output) => packFolder(output, { mostBytes: 1000 })
const nothing: Reader = () => Promise.resolve()

interface Case extends TryOptions {
  readonly reads: Reader
  /** The text of the program, which has the functions of `files.mjs`. */
  readonly program: string
  /** Parts of the message. */
  readonly says: readonly string[]
}

const good = `'head.weight': ['F32', [4, 3], new Float32Array(12)], 'head.bias': ['F32', [3], new Float32Array(3)]`
const few = 'new Float32Array(18)'
const forever = 'setInterval(() => {}, 1000)'

const cases: Readonly<Record<string, Case>> = {
  // logits.npy
  'no logits': { reads: logits, program: '', says: ['logits.npy: there is no such file'] },
  'truncated logits': {
    reads: logits,
    program: `logits(new Float32Array(17))`,
    says: ['logits.npy: the file has 68 bytes of values, and 6 × 3 of type <f4 take 72'],
  },
  'bytes after the logits': {
    reads: logits,
    program: `logits(new Float32Array(19))`,
    says: ['the file has 76 bytes of values, and 6 × 3 of type <f4 take 72'],
  },
  'a row too few': {
    reads: logits,
    program: `logits(new Float32Array(15), '(5, 3)')`,
    says: ['logits.npy: the logits have 5 rows, expected 6: one for each image'],
  },
  'a class too many': {
    reads: logits,
    program: `logits(new Float32Array(24), '(6, 4)')`,
    says: ['the logits have 4 columns, expected 3: one for each class'],
  },
  'one logit for each row': {
    reads: logits,
    program: `logits(new Float32Array(6), '(6,)')`,
    says: ['the logits have the shape (6,), expected (6, 3)'],
  },
  'logits that are not a number': {
    reads: logits,
    program: `const values = ${few}; values[7] = NaN; logits(values)`,
    says: ['logits.npy: the array is NaN at [2, 1], expected finite numbers'],
  },
  'infinite logits': {
    reads: logits,
    program: `const values = ${few}; values[17] = -Infinity; logits(values)`,
    says: ['the array is -Infinity at [5, 2]'],
  },
  'logits beyond float32': {
    reads: logits,
    program: `logits(new Float64Array(18).fill(1e300), '(6, 3)', "'<f8'")`,
    says: ['the array is Infinity at [0, 0]'],
  },
  'whole numbers as logits': {
    reads: logits,
    program: `logits(new BigInt64Array(18), '(6, 3)', "'<i8'")`,
    says: ['the logits have the type <i8, expected <f4 or <f8 (float32 or float64)'],
  },
  'logits in Fortran order': {
    reads: logits,
    program: `logits(${few}, '(6, 3)', "'<f4'", 'True')`,
    says: ['logits.npy: the file is in Fortran order; save it as numpy.ascontiguousarray'],
  },
  'big-endian logits': {
    reads: logits,
    program: `logits(${few}, '(6, 3)', "'>f4'")`,
    says: ['the logits have the type >f4, expected <f4 or <f8'],
  },
  'Python objects': {
    reads: logits,
    program: `logits(${few}, '(6, 3)', "'|O'")`,
    says: ['logits.npy: the file holds Python objects (a pickle), which are never loaded'],
  },
  'a structured array': {
    reads: logits,
    program: `logits(${few}, '(6,)', "[('a', '<f4')]")`,
    says: ['the file has a header that describes no plain array'],
  },
  'half-precision logits': {
    reads: logits,
    program: `logits(new Uint16Array(18), '(6, 3)', "'<f2'")`,
    says: ['the logits have the type <f2, expected <f4 or <f8'],
  },
  'a header without a shape': {
    reads: logits,
    program: `npy('logits.npy', "{'descr': '<f4', 'fortran_order': False, }", ${few})`,
    says: ['the file has a header that describes no plain array'],
  },
  'text as logits': {
    reads: logits,
    program: `writeFileSync(output('logits.npy'), '0.1 0.2 0.7')`,
    says: ['logits.npy: the file is no .npy file: it does not begin with'],
  },
  'logits of another data set': {
    reads: logits,
    program: `logits(new Float32Array(30_000), '(10000, 3)')`,
    says: ['logits.npy: the file has 120,128 bytes, expected 66,112 at most'],
  },
  'a link to logits': {
    reads: logits,
    program: `symlinkSync('/etc/passwd', output('logits.npy'))`,
    says: ['logits.npy: this is a symbolic link, expected a regular file'],
  },
  'a folder in place of logits': {
    reads: logits,
    program: `mkdirSync(output('logits.npy'))`,
    says: ['logits.npy: this is a folder, expected a regular file'],
  },

  // model.safetensors
  'no weights': { reads: weights, program: '', says: ['model.safetensors: there is no such file'] },
  'truncated weights': {
    reads: weights,
    program: `safetensors('model.safetensors', { ${good} }); truncateSync(output('model.safetensors'), 150)`,
    says: ['model.safetensors: the tensor "head.weight" has the bytes'],
  },
  'a pickle': {
    reads: weights,
    program: `writeFileSync(output('model.safetensors'), Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0, 0]))`,
    says: ['model.safetensors: not a safetensors file: its header'],
  },
  'a header that is not JSON': {
    reads: weights,
    program: `writeFileSync(output('model.safetensors'), Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7b]))`,
    says: ['model.safetensors: not a safetensors file: its header is not JSON'],
  },
  'a missing tensor': {
    reads: weights,
    program: `safetensors('model.safetensors', { 'head.bias': ['F32', [3], new Float32Array(3)] })`,
    says: ['model.safetensors: the tensor "head.weight" (4, 3) is missing'],
  },
  'an extra tensor': {
    reads: weights,
    program: `safetensors('model.safetensors', { ${good}, 'tail.bias': ['F32', [1], new Float32Array(1)] })`,
    says: ['the tensor "tail.bias" is no part of the model; leave it out'],
  },
  'a tensor of another shape': {
    reads: weights,
    program: `safetensors('model.safetensors', { ${good}, 'head.weight': ['F32', [3, 4], new Float32Array(12)] })`,
    says: ['the tensor "head.weight" has the shape (3, 4), expected (4, 3)'],
  },
  'a tensor of another type': {
    reads: weights,
    program: `safetensors('model.safetensors', { ${good}, 'head.bias': ['F16', [3], new Uint16Array(3)] })`,
    says: ['the tensor "head.bias" has the type F16, expected F32'],
  },
  'a tensor of an unknown type': {
    reads: weights,
    program: `safetensors('model.safetensors', { ${good}, 'head.bias': ['F64', [3], new Float64Array(3)] })`,
    says: ['model.safetensors: the tensor "head.bias" has the type "F64", expected one of'],
  },
  'a weight that is not a number': {
    reads: weights,
    program: `const values = new Float32Array(12); values[5] = NaN
      safetensors('model.safetensors', { ${good}, 'head.weight': ['F32', [4, 3], values] })`,
    says: ['model.safetensors: the tensor "head.weight" is NaN at [1, 2], expected finite numbers'],
  },
  'weights that are too large': {
    reads: weights,
    program: `writeFileSync(output('model.safetensors'), ''); truncateSync(output('model.safetensors'), 1e9)`,
    says: ['model.safetensors: the file has 1,000,000,000 bytes, expected 67,108,984 at most'],
  },

  // adapter_config.json and adapter_model.safetensors
  'an adapter without a config': {
    reads: adapter,
    program: `safetensors('adapter_model.safetensors', { ${good} })`,
    says: ['adapter_config.json: there is no such file'],
  },
  'a config that is not JSON': {
    reads: adapter,
    program: `writeFileSync(output('adapter_config.json'), '{r: 8}')`,
    says: ['adapter_config.json: the file is not a JSON object'],
  },
  'a config without an adapter': {
    reads: adapter,
    program: `writeFileSync(output('adapter_config.json'), '{}')`,
    says: ['adapter_model.safetensors: there is no such file'],
  },
  'an adapter that is not a number': {
    reads: adapter,
    program: `writeFileSync(output('adapter_config.json'), '{}')
      safetensors('adapter_model.safetensors', { a: ['F32', [1], Float32Array.of(Infinity)] })`,
    says: ['adapter_model.safetensors: the tensor "a" is Infinity at [0]'],
  },

  // Other files
  'an empty result': { reads: folder, program: '', says: ['is empty; expected at least one file'] },
  'a link in the result': {
    reads: folder,
    program: `mkdirSync(output('a')); symlinkSync('/etc/passwd', output('a/b'))`,
    says: ['output/a/b is a symbolic link; expected regular files and folders alone'],
  },
  'a FIFO in the result': {
    reads: folder,
    program: `execFileSync('mkfifo', [output('pipe')])`,
    says: ['output/pipe is a device, a socket or a FIFO'],
  },
  'a result that is too large': {
    reads: folder,
    program: `writeFileSync(output('a'), Buffer.alloc(1001))`,
    says: ['have 1,001 bytes, expected 1,000 at most'],
  },

  // Lines
  'a loss that is not a number': {
    reads: nothing,
    program: `console.log('{"step": 1, "loss": NaN}')`,
    says: ['the line {"step": 1, "loss": NaN}', 'is not valid JSON', 'NaN and Infinity are no JSON'],
  },
  'a step that is text': {
    reads: nothing,
    program: `say({ step: 'first' })`,
    says: ['the line {"step":"first"}', 'step: expected'],
  },
  'an accuracy as a share of more than 100': {
    reads: nothing,
    program: `say({ accuracy: 101 })`,
    says: ['accuracy: expected'],
  },
  'a line without an end': {
    reads: nothing,
    program: `process.stdout.write('{"step": 1, "metrics": {' + '"a": 1, '.repeat(20000))`,
    says: ['is not valid JSON, because it is too long'],
  },
  'a checkpoint that does not exist': {
    reads: nothing,
    program: `say({ checkpoint: 'step-1' })`,
    says: ['the checkpoint "step-1" is complete, but', 'does not exist'],
  },
  'a checkpoint outside of its folder': {
    reads: nothing,
    program: `say({ checkpoint: '../output' })`,
    says: ['checkpoint:', 'expected the name of a file or folder directly inside'],
  },
  'a checkpoint that is named twice': {
    reads: nothing,
    program: `writeFileSync(checkpoint('last'), 'a'); say({ checkpoint: 'last' }); say({ checkpoint: 'last' })`,
    says: ['says twice that the checkpoint "last" is complete; expected a new name for each checkpoint'],
  },

  // The process
  'an exit code': {
    reads: nothing,
    program: `console.error('out of ideas'); process.exitCode = 3`,
    says: ['ended with the exit code 3, expected 0; its standard error ends with:\nout of ideas'],
  },
  'an uncaught error': {
    reads: nothing,
    program: `undefined.train()`,
    says: ['ended with the exit code 1, expected 0', "Cannot read properties of undefined (reading 'train')"],
  },
  'a missing program': {
    reads: nothing,
    program: '',
    command: 'no-such-program --now',
    says: ['the program (no-such-program --now) ended with the exit code 127', 'not found'],
  },
  'a crash': {
    reads: nothing,
    program: `process.kill(process.pid, 'SIGSEGV'); ${forever}`,
    says: ['was ended by SIGSEGV'],
  },
  'a message on standard output alone': {
    reads: nothing,
    program: `console.log('no data'); process.exitCode = 1`,
    says: ['its standard output ends with:\nno data'],
  },
  silence: {
    reads: nothing,
    program: forever,
    limits: { silenceSeconds: 1 },
    says: ['wrote no line to standard output or standard error for 1 s; expected progress lines'],
  },
  'a flood of output': {
    reads: nothing,
    program: '',
    command: 'yes',
    limits: { outputBytes: 1e5 },
    says: ['wrote more than 100,000 bytes to standard output and standard error'],
  },
  'too much memory': {
    reads: nothing,
    program: `globalThis.kept = Buffer.alloc(3e8, 1); ${forever}`,
    limits: { memoryBytes: 2e8 },
    says: ['bytes of memory, expected 200,000,000 at most'],
  },
  'too much memory in a child': {
    reads: nothing,
    program: `execFileSync(process.execPath, ['-e', 'globalThis.kept = Buffer.alloc(3e8, 1); ${forever}'])`,
    limits: { memoryBytes: 2e8 },
    says: ['bytes of memory, expected 200,000,000 at most'],
  },
  'too many files': {
    reads: nothing,
    program: `writeFileSync(checkpoint('a'), Buffer.alloc(2e6)); ${forever}`,
    limits: { diskBytes: 1e6 },
    says: ['wrote 2,000,000 bytes of files, expected 1,000,000 at most'],
  },
  'too much time': {
    reads: nothing,
    program: forever,
    limits: { hours: 1 / 3600 },
    says: ['ran for more than'],
  },
}

const IMPORTS = `
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { checkpoint, logits, npy, output, safetensors, say } from './files.mjs'
`

test.concurrent.each(Object.entries(cases))('%s', async (_, { reads, program, says, ...options }) => {
  const tried = await tryProgram(`${IMPORTS}${program}`, options)
  const error = await errorOf(
    tried.done.then(() => reads(outputOf(tried.directory))),
    ProgramError,
  )
  for (const part of says) expect(error.message).toContain(part)
})

test('correct results are accepted', async () => {
  const tried = await tryProgram(`${IMPORTS}
    logits(Float64Array.from({ length: 18 }, (_, i) => i / 2), '(6, 3)', "'<f8'")
    safetensors('model.safetensors', { ${good}, 'norm.num_batches_tracked': ['I64', [], new BigInt64Array(1)] })
    safetensors('adapter_model.safetensors', { a: ['F16', [1], new Uint16Array(1)] })
    writeFileSync(output('adapter_config.json'), '{"r": 8}')`)
  await tried.done
  const output = outputOf(tried.directory)
  expect(await readLogitsResult(output, 6, 3)).toEqual(Float32Array.from({ length: 18 }, (_, i) => i / 2))
  expect(await weights(output)).toEqual({
    'head.weight': { shape: [4, 3], values: new Float32Array(12) },
    'head.bias': { shape: [3], values: new Float32Array(3) },
  })
  expect(Object.keys(await readAdapterResult(output))).toEqual([
    'adapter_config.json',
    'adapter_model.safetensors',
  ])
  expect((await packFolder(output, { mostBytes: 1e6 })).length % 512).toBe(0)
})

test.each(['SIGKILL', 'SIGTERM'])('%s from outside is not the fault of the program', async (signal) => {
  const tried = await tryProgram(`process.kill(process.pid, '${signal}'); ${forever}`)
  const error = await errorOf(tried.done, ProgramKilledError)
  expect(error.message).toContain(`was ended by ${signal}, which Zeroshift did not send`)
})

test('the result folder itself is no link', async () => {
  const tried = await tryProgram(`
    import { renameSync, symlinkSync } from 'node:fs'
    import { folder, logits } from './files.mjs'
    logits(new Float32Array(18))
    renameSync(folder + '/output', folder + '/elsewhere')
    symlinkSync(folder + '/elsewhere', folder + '/output')`)
  await tried.done
  const output = outputOf(tried.directory)
  await expect(logits(output)).rejects.toThrow('logits.npy: there is no such file')
  await expect(folder(output)).rejects.toThrow('is a symbolic link')
})
