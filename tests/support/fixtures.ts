import { test as base } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { testDirectory } from './directories.ts'
import { captureOutput } from './output.ts'

/** A test that receives what it names: `test('…', ({ directory }) => …)`. */
export const test = base
  /** An empty directory, which is removed after the test. */
  .extend('directory', () => testDirectory())
  /** The artifacts of an empty file store in `directory`. */
  .extend('artifacts', ({ directory }) => openArtifacts(directory))
  /** Captures the standard output of the test, which is not shown. */
  .extend('stdout', () => captureOutput('stdout'))
