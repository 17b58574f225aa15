import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { encodeTensors } from '../../../../artifacts/format/safetensors.ts'
import { attemptsFor, audit, type Attempts } from '../../../support/audit.ts'
import { configOf, tinyVit, writeCheckpoint } from '../../../support/tiny-checkpoint.ts'

/** Checkpoints and adapters whose files make wrong claims. */

/** A file of tensors with any header, whose claimed length may differ from its length. */
function safetensors(header: unknown, data = 64, claimed?: bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(claimed ?? BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(data)])
}
const F32 = (begin: number, end: number, shape: readonly number[] = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
})
/** A file with one tensor of 16 numbers, of which the header claims other things. */
const claiming = (claims: object) => safetensors({ a: { ...F32(0, 64), ...claims } })

const headers: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'seven bytes': Buffer.alloc(7),
  'a header of no bytes': safetensors(''),
  'a header of 2^63 bytes': safetensors({}, 0, 2n ** 63n),
  'a header longer than the file': safetensors({}, 8, 1000n),
  'a header that is no JSON': safetensors('{"a": '),
  'a header that is a list': safetensors([]),
  'a header that is a number': safetensors('5'),
  'a header of controls': safetensors('{"\x1b[2J'),
  'a header that is nested without end': safetensors('['.repeat(100_000)),
  'a name twice': safetensors(`{"a": ${JSON.stringify(F32(0, 32))}, "a": ${JSON.stringify(F32(32, 64))}}`),
  'a name of objects': safetensors(`{"__proto__": ${JSON.stringify(F32(0, 64))}}`),
  'overlapping tensors': safetensors({ a: F32(0, 40), b: F32(24, 64) }),
  'a hole between tensors': safetensors({ a: F32(0, 16), b: F32(32, 64) }),
  'a tensor beyond the end': safetensors({ a: F32(0, 128) }),
  'a tensor that ends before it begins': claiming({ shape: [4], data_offsets: [64, 0] }),
  'offsets below 0': claiming({ data_offsets: [-64, 0] }),
  'offsets that are text': claiming({ data_offsets: ['0', '64'] }),
  'offsets between bytes': claiming({ data_offsets: [0.5, 64.5] }),
  'one offset': claiming({ data_offsets: [64] }),
  'no offsets': claiming({ data_offsets: undefined }),
  'a tensor that is nothing': safetensors({ a: null }),
  'a type that there is not': claiming({ dtype: 'F31' }),
  'a type that is a name of objects': claiming({ dtype: 'constructor' }),
  'a shape of other size': claiming({ shape: [17] }),
  'a shape beyond all numbers': claiming({ shape: [2 ** 53, 2 ** 53] }),
  'a shape below 0': claiming({ shape: [-4, -4] }),
  'a shape that is text': claiming({ shape: '16' }),
  'no tensor': safetensors({}, 0),
  'bytes that no tensor has': safetensors({ a: F32(0, 32) }, 64),
  'a name with controls': safetensors({ 'a\x1b[2J': F32(0, 64, [3]) }),
  'a long name': safetensors({ ['a'.repeat(50_000)]: F32(0, 64, [3]) }),
  'a pickle': Buffer.from('\x80\x04\x95\x00cposix\nsystem\n', 'latin1'),
  'an archive': Buffer.from('PK\x03\x04\x14\x00\x00\x00\x08\x00zzzzzzzz'),
}

const pretrained = ['run', 'small.yaml', '--dry-run', '-S', 'model={name: pretrained, from: model}']
const inspected = ['adapter', 'inspect', 'adapter']
const adapterConfig = { peft_type: 'LORA', r: 2, lora_alpha: 2, target_modules: ['query'] }

/** Changes of some fields of a config, or the text of the whole file. */
type Claim = Readonly<Record<string, unknown>> | string

const claimedBy = (config: object, claim: Claim) =>
  typeof claim === 'string' ? claim : JSON.stringify({ ...config, ...claim })

const adapterFiles = (claim: Claim, weights: Uint8Array) => ({
  'adapter/adapter_config.json': claimedBy(adapterConfig, claim),
  'adapter/adapter_model.safetensors': weights,
})

audit(
  'the weights of a checkpoint',
  attemptsFor(headers, (weights) => ({
    args: pretrained,
    says: /model(\/model\.safetensors|: the tensors are not those of the model that config\.json)/,
    files: { 'model/config.json': JSON.stringify(configOf(tinyVit)), 'model/model.safetensors': weights },
  })),
)

audit(
  'the tensors of an adapter',
  attemptsFor(headers, (weights) => ({
    args: inspected,
    says: /adapter(\/adapter_model\.safetensors|_model\.safetensors)?/,
    files: adapterFiles({}, weights),
  })),
)

const claims: Readonly<Record<string, Claim>> = {
  'is nothing': '',
  'is no JSON': '{',
  'is a list': '[]',
  'is nested without end': '['.repeat(100_000),
  'is of another model': { model_type: 'bert' },
  'is of a model named as code': { model_type: 'constructor' },
  'is of a model with controls': { model_type: '\x1b[2J' },
  'has a million layers': { num_hidden_layers: 1e6 },
  'has layers as text': { num_hidden_layers: '2' },
  'has half a layer': { num_hidden_layers: 1.5 },
  'has no layer': { num_hidden_layers: 0 },
  'has a width of 10^9': { hidden_size: 1e9 },
  'has more layers than the weights': { num_hidden_layers: 3 },
  'has another width than the weights': { hidden_size: 16 },
  'has heads that do not divide its width': { num_attention_heads: 5 },
  'has patches that do not divide images': { patch_size: 3 },
  'has patches beyond the image': { patch_size: 64 },
  'has an activation that there is not': { hidden_act: 'exec' },
  'has an epsilon below 0': { layer_norm_eps: -1 },
}
audit(
  'the config of a checkpoint that',
  attemptsFor(claims, (claim) => ({
    args: pretrained,
    says: /model(\/config\.json|: the tensors are not those of the model that config\.json)/,
    prepare: () => {
      writeCheckpoint('model', tinyVit)
      writeFileSync('model/config.json', claimedBy(configOf(tinyVit), claim))
    },
  })),
)

const adapters: Readonly<Record<string, Claim>> = {
  'is nothing': '',
  'is a list': '[]',
  'is of another method': { peft_type: 'IA3' },
  'has no rank': { r: 0 },
  'has a rank of text': { r: '2' },
  'has a rank of 10^9': { r: 1e9 },
  'has an alpha of nothing': { lora_alpha: null },
  'has no modules': { target_modules: null },
  'has a module that is a number': { target_modules: 5 },
  'has modules by a pattern that takes for ever': { target_modules: '(a+)+$'.repeat(5) + 'b' },
  'has modules by an open pattern': { target_modules: '((((' },
  'has ranks by a pattern that takes for ever': { rank_pattern: { '(a|a)*$': 3 } },
  'has ranks by ten thousand patterns': {
    rank_pattern: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`a{${i}}b.*c.*`, 3])),
  },
  'has ranks that are text': { rank_pattern: { query: 'x' } },
  'saves modules that are numbers': { modules_to_save: [5] },
}
const A = 'base_model.model.vit.encoder.layer.0.attention.attention.query.lora_A.weight'
audit(
  'the config of an adapter that',
  attemptsFor(adapters, (claim) => ({
    args: ['adapter', 'merge', 'adapter', '--base', 'base', '--out', 'new'],
    says: /adapter/,
    files: adapterFiles(
      claim,
      encodeTensors({ [A]: { dtype: 'F32', shape: [3, 12], values: new Float32Array(36) } }),
    ),
    prepare: () => writeCheckpoint('base', tinyVit),
  })),
)

const places: Attempts = {
  'a missing directory': {
    args: ['adapter', 'inspect', 'nowhere'],
    says: /nowhere.*adapter_config\.json is missing|nowhere/,
  },
  'a file': { args: ['adapter', 'inspect', 'small.yaml'], says: /small\.yaml/ },
  'the root': { args: ['adapter', 'inspect', '/proc/1'], says: /\/proc\/1.*adapter_config\.json is missing/ },
  'controls in its name': { args: ['adapter', 'inspect', 'a\x1b[2J\nb'], says: /a\\x1b\[2J\\nb/ },
  'a FIFO for its config': {
    args: inspected,
    says: /adapter_config\.json.* is a FIFO, expected a regular file/,
    files: { 'adapter/.keep': '' },
    prepare: () => spawnSync('mkfifo', ['adapter/adapter_config.json']),
  },
  'a base that is not there': {
    args: ['adapter', 'inspect', 'adapter', '--base', 'nowhere'],
    says: /adapter: the adapter's tensors are not as expected|nowhere/,
    files: adapterFiles({}, encodeTensors({})),
  },
  'a base with a password': {
    args: ['adapter', 'merge', 'adapter', '--base', 'https://u:pa55@host/a?token=t0ken', '--out', 'new'],
    says: /adapter|credentials/,
    hides: /pa55|t0ken/,
  },
  'pickles alone': {
    args: pretrained,
    says: /model/,
    files: { 'model/config.json': JSON.stringify(configOf(tinyVit)), 'model/pytorch_model.bin': 'PK' },
  },
  'an index of shards that leads out': {
    args: pretrained,
    says: /model\.safetensors\.index\.json/,
    files: {
      'model/config.json': JSON.stringify(configOf(tinyVit)),
      'model/model.safetensors.index.json': JSON.stringify({ weight_map: { a: '../../../etc/passwd' } }),
    },
  },
}
audit('an adapter or a checkpoint in', places)
