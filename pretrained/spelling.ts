/**
 * The names of a transformer's layers in two spellings: that of published checkpoints
 * (`vit.encoder.layer.0.attention.attention.query`), which is also ours, and that of transformers 5
 * and adapters made with it (`vit.layers.0.attention.q_proj`).
 */
const parts: readonly (readonly [published: string, current: string])[] = [
  ['attention.attention.query', 'attention.q_proj'],
  ['attention.attention.key', 'attention.k_proj'],
  ['attention.attention.value', 'attention.v_proj'],
  ['attention.output.dense', 'attention.o_proj'],
  ['intermediate.dense', 'mlp.fc1'],
  ['output.dense', 'mlp.fc2'],
  ['layernorm_before', 'layernorm_before'],
  ['layernorm_after', 'layernorm_after'],
]

/** The published spelling of a layer's or tensor's name in either spelling. */
export function publishedSpelling(name: string, family: string): string {
  return respelt(name, new RegExp(`^(${family}\\.)?layers\\.(\\d+)\\.`), 'encoder.layer', 1)
}

/** The spelling of transformers 5. */
export function currentSpelling(name: string, family: string): string {
  return respelt(name, new RegExp(`^(${family}\\.)?encoder\\.layer\\.(\\d+)\\.`), 'layers', 0)
}

function respelt(name: string, block: RegExp, stem: string, from: 0 | 1): string {
  const [start, prefix = '', index = ''] = block.exec(name) ?? []
  if (start === undefined) return name
  const rest = name.slice(start.length)
  const pair = parts.find((both) => rest === both[from] || rest.startsWith(`${both[from]}.`))
  if (!pair) return name
  return `${prefix}${stem}.${index}.${from === 1 ? pair[0] : pair[1]}${rest.slice(pair[from].length)}`
}
