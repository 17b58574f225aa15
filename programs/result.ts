/** A float32 tensor in C order. */
export interface ResultTensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

export interface ExpectedTensor {
  readonly name: string
  readonly shape: readonly number[]
}

/**
 * Reads `model.safetensors`, which has exactly the expected tensors as finite float32 numbers.
 * Counters `*.num_batches_tracked` of PyTorch are ignored. Throws a ProgramError that names the
 * file and the tensors, what was found and what was expected.
 */
export function readWeightsResult(
  outputDirectory: string,
  expected: readonly ExpectedTensor[],
): Promise<Readonly<Record<string, ResultTensor>>> {
  throw new Error(`not written yet: ${outputDirectory} ${expected.length}`)
}

/**
 * Reads `logits.npy`: finite float32 or float64 numbers of shape [rows, classes]. Returns them as
 * float32. Throws a ProgramError.
 */
export function readLogitsResult(
  outputDirectory: string,
  rows: number,
  classes: number,
): Promise<Float32Array> {
  throw new Error(`not written yet: ${outputDirectory} ${rows} ${classes}`)
}

/** The files of an adapter in PEFT's layout, as the program wrote them. */
export interface AdapterResult {
  readonly 'adapter_config.json': Uint8Array
  readonly 'adapter_model.safetensors': Uint8Array
}

/**
 * Reads the two files of an adapter. Checks that the config is a JSON object and that all tensors
 * are finite, but not that the adapter fits a model. Throws a ProgramError.
 */
export function readAdapterResult(outputDirectory: string): Promise<AdapterResult> {
  throw new Error(`not written yet: ${outputDirectory}`)
}
