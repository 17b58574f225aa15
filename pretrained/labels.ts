import { join } from 'node:path'
import { z } from 'zod'
import { readJsonFile } from './json-file.ts'

/** The names of a checkpoint's classes, or transformers' default LABEL_0, LABEL_1, …. */
export async function readLabels(directory: string, classes: number): Promise<readonly string[]> {
  const schema = z.looseObject({ id2label: z.record(z.string(), z.string()).nullish() })
  const config = await readJsonFile(join(directory, 'config.json'), schema)
  return Array.from({ length: classes }, (_, i) => config?.id2label?.[String(i)] ?? `LABEL_${i}`)
}
